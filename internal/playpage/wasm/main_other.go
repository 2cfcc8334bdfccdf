//go:build !js || !wasm

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "this program is for WebAssembly: GOOS=js GOARCH=wasm")
	os.Exit(1)
}
