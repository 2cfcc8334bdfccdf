// Package playpage is the page of the playground: one file that holds all of it, or a handler that
// serves it. The two endpoints run in the page as WebAssembly, which package wasm is the source of.
//
// Nothing leaves the page. Its Content-Security-Policy allows its own script and style by their
// hashes, WebAssembly, workers that it makes itself, and no connections; the served page may fetch
// the WebAssembly from where it came.
package playpage

import (
	"bytes"
	"compress/flate"
	"embed"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/playpage/lessons"
	"github.com/vitrine-tls/vitrine/playground"
	"github.com/vitrine-tls/vitrine/render/html"
)

//go:embed page/playground.gohtml
var markup string

//go:embed page/playground.css
var style string

//go:embed page/*_*.js
var scripts embed.FS

// script is the page's script, one function made of the files in their order.
var script = func() string {
	names, err := fs.Glob(scripts, "page/*.js")
	if err != nil {
		panic(err) // embedded
	}
	all := `"use strict";` + "\n(() => {\n"
	for _, name := range names { // sorted
		text, err := scripts.ReadFile(name)
		if err != nil {
			panic(err) // embedded
		}
		all += string(text)
	}
	return all + "})();"
}()

//go:embed page/worker.js
var worker string

var page = template.Must(template.New("playground").Parse(markup))

// Where texts stand in the page that are no script of it: of the worker, and the WebAssembly if the
// page brings it along.
const (
	workerPlace = `<script type="text/plain" id="worker-text">`
	wasmPlace   = `<script type="text/plain" id="wasm-text">`
)

// insert returns page with text behind place. Text must not end the element that place begins.
func insert(page []byte, place string, text []byte) ([]byte, error) {
	before, after, ok := bytes.Cut(page, []byte(place))
	if !ok || bytes.Contains(bytes.ToLower(text), []byte("</script")) ||
		bytes.Contains(text, []byte("<!--")) {
		return nil, fmt.Errorf("playpage: the page has no place for %d bytes at %s", len(text),
			place)
	}
	return bytes.Join([][]byte{before, []byte(place), text, after}, nil), nil
}

// view is the data of the template.
type view struct {
	Policy  string
	Style   template.CSS
	Script  template.JS
	Data    template.JS
	Loading string
	Lessons []lessons.Lesson
}

// Policy returns the Content-Security-Policy of the page. connect is the source that it may fetch
// from: 'self' if it is served, 'none' if it is a file.
func Policy(connect string) string {
	return "default-src 'none'; script-src '" + html.Hash(script) +
		"' 'wasm-unsafe-eval'; style-src '" + html.Hash(styles()) +
		"'; worker-src blob:; connect-src " + connect + "; base-uri 'none'; form-action 'none'"
}

func styles() string { return html.Style() + "\n" + strings.TrimSpace(style) }

// write returns the page without its WebAssembly.
func write(a *Assets, connect string) ([]byte, error) {
	data, err := json.Marshal(knobs())
	if err != nil {
		return nil, err
	}
	v := view{Policy: Policy(connect), Style: template.CSS(styles()),
		Script: template.JS(script), Data: template.JS(data),
		Loading: "The two endpoints are being started…", Lessons: lessons.All()}
	var b bytes.Buffer
	if err := page.Execute(&b, v); err != nil {
		return nil, err
	}
	return insert(b.Bytes(), workerPlace, slices.Concat(a.Exec, []byte("\n"+worker)))
}

// knobs returns the Setups of the lessons' knobs, by the lessons' numbers, for the script.
func knobs() map[int][]playground.Setup {
	all := map[int][]playground.Setup{}
	for _, l := range lessons.All() {
		for _, k := range l.Knob {
			all[l.Number] = append(all[l.Number], k.Setup)
		}
	}
	return all
}

// File returns the page as one file that needs no server and no network.
func File(a *Assets) ([]byte, error) {
	b, err := write(a, "'none'")
	if err != nil {
		return nil, err
	}
	wasm, err := a.Wasm()
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(wasm); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if b, err = insert(b, wasmPlace, text7(packed.Bytes())); err != nil {
		return nil, err
	}
	return append([]byte(byteOrderMark), b...), nil
}

// byteOrderMark says that a file is UTF-8, whatever the server that sends it says.
const byteOrderMark = "\uFEFF"

// escape7 begins a pair of characters for one of unsafe7.
const escape7 = '~'

// unsafe7 are the characters of seven bits that do not come through as text of a script element, or
// that a program which copies files as text may change, and escape7.
const unsafe7 = "\x00\n\r\x1A<\x7F" + string(escape7)

// text7 returns b, with its length in four bytes before it, as ASCII for a script element: Chromium
// parses it in two thirds of the time that other text takes. A character is seven bits. One of
// unsafe7 and the three bits behind it are escape7 and a character from '?' on. Base64 would make
// the file larger by 600 kB.
func text7(b []byte) []byte {
	b = append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
	text, at := make([]byte, 0, len(b)/6*8), 0
	next := func(n int) (bits byte) { // behind the end there are zeros
		var two [2]byte
		copy(two[:], b[min(at/8, len(b)):])
		bits = byte(binary.BigEndian.Uint16(two[:])>>(16-n-at%8)) & (1<<n - 1)
		at += n
		return bits
	}
	for at < 8*len(b) {
		c := next(7)
		if i := strings.IndexByte(unsafe7, c); i >= 0 {
			text = append(text, escape7, '?'+(byte(i)<<3|next(3)))
		} else {
			text = append(text, c)
		}
	}
	return text
}
