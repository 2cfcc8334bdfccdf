package main

import (
	"encoding/json"
	"io"

	"github.com/vitrine-tls/vitrine/trace"
)

// writeJSON writes v as one line of JSON, in which everything that a terminal could interpret is
// escaped.
func writeJSON(w io.Writer, v any) error {
	value, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(trace.EscapeJSON(nil, value), '\n'))
	return err
}

// writeJSONLines writes one line of JSON for each of rows.
func writeJSONLines[T any](w io.Writer, rows []T) error {
	for _, r := range rows {
		if err := writeJSON(w, r); err != nil {
			return err
		}
	}
	return nil
}
