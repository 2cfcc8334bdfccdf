package main

import (
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// saveKeys writes the private keys of a run and their chains into a folder that only the user can
// open.
func saveKeys(dir string, c connection, stderr io.Writer) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	wrote := false
	dialect := message.Dialect{Version: explain.Tell(c.entries, c.about).Version}
	for _, e := range c.entries {
		switch x := e.Event.(type) {
		case *trace.ThrowawayKey:
			wrote = true
			note := fmt.Sprintf("The private key of the %v's certificate, made for one run. %s\n",
				x.From, notice(c.about))
			if err := writePEM(filepath.Join(dir, x.From.String()+".key"), note, "PRIVATE KEY",
				x.Private); err != nil {
				return err
			}
		case *trace.Message:
			m, err := dialect.Parse(x.Raw)
			chain, ok := m.(*message.Certificate)
			if err != nil || !ok || string(e.Role) != x.From.String() || len(chain.Chain) == 0 {
				continue
			}
			if err := writePEM(filepath.Join(dir, x.From.String()+".pem"), "", "CERTIFICATE",
				chain.Chain...); err != nil {
				return err
			}
		}
	}
	if wrote {
		fmt.Fprintf(fit(stderr), "! %s holds secrets: the private keys of this run.\n",
			explain.Escape(dir))
	}
	return nil
}

// writePEM writes blocks of one kind. The note before the first is a comment. See RFC 7468 §2.
func writePEM(name, note, kind string, blocks ...[]byte) error {
	return writeFile(name, func(w io.Writer) error {
		if _, err := io.WriteString(w, note); err != nil {
			return err
		}
		for _, b := range blocks {
			if err := pem.Encode(w, &pem.Block{Type: kind, Bytes: b}); err != nil {
				return err
			}
		}
		return nil
	})
}
