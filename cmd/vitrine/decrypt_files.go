package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/vitrine-tls/vitrine/capture"
)

// captureFiles reads the packets of one or several captures in the order of their times, as
// mergecap writes them: those of a ring buffer, or of several places.
type captureFiles struct {
	files   []*captureFile
	secrets func(capture.SecretsType, []byte)
	last    *captureFile // whose packet was returned
	broken  error        // of the first file that is damaged
}

// captureFile is one of them, with its next packet.
type captureFile struct {
	name   string
	r      *capture.Reader
	packet capture.Packet
	err    error
	begun  bool
}

// openFiles opens captures. Their bytes are counted by read.
func openFiles(ctx context.Context, names []string, read *counter, shut func(func())) (
	*captureFiles, error) {
	c := &captureFiles{}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return nil, ofInput(name, err)
		}
		shut(func() { f.Close() })
		r, err := capture.OpenContext(ctx, &counted{f, read})
		if err != nil {
			return nil, notCapture(name, err)
		}
		c.files = append(c.files, &captureFile{name: name, r: r})
	}
	return c, nil
}

// notCapture returns the error for a file that does not begin as captures do.
func notCapture(name string, err error) error {
	return ofInput(name, errors.New(strings.TrimPrefix(err.Error(), "capture: ")))
}

// MayHoldSecrets reports whether one of the files may have secrets inside.
func (c *captureFiles) MayHoldSecrets() bool {
	for _, f := range c.files {
		if f.r.MayHoldSecrets() {
			return true
		}
	}
	return false
}

// Next returns the packet with the earliest time, or of equal times, or none, that of the file that
// was named first. A damaged file ends alone; its error comes at the end.
func (c *captureFiles) Next() (capture.Packet, error) {
	var first *captureFile
	for _, f := range c.files {
		if !f.begun || f == c.last {
			f.begun, f.r.Secrets = true, c.secrets
			if f.packet, f.err = f.r.Next(); f.err != nil && f.err != io.EOF && c.broken == nil {
				c.broken = f.err
				if len(c.files) > 1 {
					c.broken = fmt.Errorf("%s: %w", f.name, f.err)
				}
			}
		}
		if f.err == nil && (first == nil || f.packet.Time.Before(first.packet.Time)) {
			first = f
		}
	}
	c.last = first
	switch {
	case first != nil:
		return first.packet, nil
	case c.broken != nil:
		return capture.Packet{}, c.broken
	}
	return capture.Packet{}, io.EOF
}

// counted counts what is read of one file for all of them.
type counted struct {
	r   io.Reader
	all *counter
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.all.n.Add(int64(n))
	return n, err
}

// maxFiles bounds the captures of one call: each has a buffer and is open.
const maxFiles = 500

// openCaptures notes the captures that were named. They are opened when they are read.
func (p *packets) openCaptures(names []string) error {
	if len(names) > maxFiles {
		return &usageError{fmt.Sprintf("got %d captures, expected at most %d", len(names),
			maxFiles), "mergecap -w all.pcapng FILES; vitrine decrypt all.pcapng"}
	}
	for _, name := range names {
		info, err := os.Stat(name)
		switch {
		case name == "-":
			return &usageError{"standard input cannot be one of several captures",
				"vitrine decrypt - < FILE"}
		case err != nil:
			return ofInput(name, err)
		case info.IsDir():
			return &usageError{fmt.Sprintf("%s is a folder; decrypt takes captures", name),
				"vitrine decrypt " + quoted(name) + "/FILE"}
		}
		p.size += info.Size()
	}
	p.open = func() (*captureFiles, error) {
		read := &counter{}
		p.at = read.n.Load
		return openFiles(p.ctx, names, read, func(f func()) { p.shut = append(p.shut, f) })
	}
	return nil
}

// errNoCopy says that a capture cannot be copied with --pcap.
var errNoCopy = errors.New("a live capture is not copied: record it first (tcpdump -w FILE)")
