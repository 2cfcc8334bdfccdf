//go:build js && wasm

// Command wasm is the playground as WebAssembly. It gives the functions of package api to the
// page's workers, as vitrine.run, vitrine.glass and so on: each takes a string and returns a
// string, or an Error.
package main

import (
	"syscall/js"

	"github.com/vitrine-tls/vitrine/internal/playpage/api"
)

// sweepChunk is how many bytes are flipped before the page is told.
const sweepChunk = 16

func main() {
	var page api.Page
	var sweep api.Sweep
	functions := map[string]func([]byte) ([]byte, error){
		"choices":   func([]byte) ([]byte, error) { return api.Choices() },
		"run":       page.Run,
		"glass":     page.Glass,
		"tool":      api.Tool,
		"sweep":     sweep.Begin,
		"sweepMore": func([]byte) ([]byte, error) { return sweep.Go(sweepChunk) },
	}
	object := js.Global().Get("Object").New()
	for name, f := range functions {
		object.Set(name, js.FuncOf(func(_ js.Value, args []js.Value) any {
			out, err := f([]byte(args[0].String()))
			if err != nil {
				return js.Global().Get("Error").New(err.Error())
			}
			return string(out)
		}))
	}
	js.Global().Set("vitrine", object)
	js.Global().Call("vitrineReady")
	select {}
}
