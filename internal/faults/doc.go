// Package faults breaks the network under connections, at every byte, and sees that nothing worse
// comes of it than an error. Its tests run a sample; all of it takes some minutes:
//
//	go test ./internal/faults -v -faults.all
//	go test ./internal/faults -v -run Soak -faults.soak 10m -timeout 20m
package faults
