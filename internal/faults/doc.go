// Package faults breaks the network under connections, at every byte, and checks that the worst
// result is an error. Its tests run a sample; all cases take some minutes:
//
//	go test ./internal/faults -v -faults.all
//	go test ./internal/faults -v -run Soak -faults.soak 10m -timeout 20m
package faults
