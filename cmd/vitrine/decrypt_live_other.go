//go:build !linux

package main

import "fmt"

// openInterface returns an error: packets are read on Linux only.
func (p *packets) openInterface(name string) error {
	return fmt.Errorf("-i reads packets on Linux only; elsewhere: tcpdump -i %s -w - tcp | "+
		"vitrine decrypt -", quoted(name))
}
