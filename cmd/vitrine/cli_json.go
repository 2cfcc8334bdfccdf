package main

import (
	"encoding/json"
	"io"

	"github.com/vitrine-tls/vitrine/trace"
)

// writeJSON writes v as one line of JSON that can be shown on a terminal, whatever a peer put into
// it.
func writeJSON(w io.Writer, v any) error {
	value, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(trace.EscapeJSON(nil, value), '\n'))
	return err
}

// writeJSONLines writes one object a line.
func writeJSONLines[T any](w io.Writer, rows []T) error {
	for _, r := range rows {
		if err := writeJSON(w, r); err != nil {
			return err
		}
	}
	return nil
}
