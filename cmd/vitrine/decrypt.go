package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/observe"
	screen "github.com/vitrine-tls/vitrine/render/term"
)

// The errors of a run that went well, and in which not all was decrypted.
var (
	errUndecrypted = &exitError{exitUndecrypted,
		errors.New("not everything was decrypted: the rows say why")}
	errUnopened = &exitError{exitUndecrypted,
		errors.New("nothing was decrypted: the rows say why")}
	errUnshown = &exitError{exitUndecrypted,
		errors.New("nothing was decrypted, and so there is nothing to print or to write")}
	errNothing = &exitError{exitUndecrypted,
		errors.New("no TLS connection was found in this capture")}
	errUnselected = &exitError{exitUndecrypted,
		errors.New("none of the TLS connections in this capture is selected")}
)

// decryption has the flags of decrypt, and what a run of it needs.
type decryption struct {
	secrets   secretFlags
	which     selection
	json      bool
	print     bool
	inner     bool
	out       string
	pcap      string
	keyLog    string
	follow    string
	netif     string
	color     string
	detail    string
	artefacts artefacts
	live      liveFlags
	view      *liveView // nil without --ui and --history

	cmd   *cobra.Command
	style screen.Style
	level explain.Level
}

func newDecrypt() *cobra.Command {
	d := &decryption{}
	cmd := &cobra.Command{
		Use:   "decrypt CAPTURE...",
		Short: "Decrypt recorded traffic with a key, or say exactly why it cannot be decrypted",
		Long: `Reads a capture that tcpdump, Wireshark or vitrine wrote: pcap or pcapng, plain or
compressed with gzip; - is standard input. Several captures, such as those of a ring buffer, are
read as one, in the order of their packets' times. Every TLS connection gets a row, whatever its
port: what was negotiated and, given a secret that fits, how much of its data was decrypted. If some
of the data was not decrypted, the row gives the reason and what would help. Without a secret the
command lists the connections. TLS inside tunnels (VXLAN, GRE, GTP-U and many more) and EAP-TLS is
found too; packets that are not read, such as QUIC, are counted by protocol. Connections have the
numbers of Wireshark's tcp.stream, except that Wireshark (4.0) also counts one for each ICMP error
that quotes the whole TCP header of a connection that the capture does not have before it.

With -f and -i, --ui shows a page of the connections as they happen, and --history keeps them.

Several kinds of secrets can be given; if there are several keys, the one that fits is found for
each connection. Secrets inside the capture are used too. Records that fail authentication are
never shown or written. A key log may have been logged, wrapped or dumped in hex, or be what
javax.net.debug of Java up to 8, openssl s_client -trace, GnuTLS or Wireshark report.

Without a secret, data that was not decrypted is not a failure. A capture without TLS is one, and
so is a selection that matches no connection.

` + exitLine("decrypt"),
		Example: `  vitrine decrypt traffic.pcapng
  vitrine decrypt traffic.pcap --rsa-key server.key
  vitrine decrypt traffic.pcap --keylog keys.log --stream 3,7-9 --print
  vitrine decrypt traffic.pcap --keylog keys.log --out plain/
  vitrine decrypt ring_*.pcapng --keylog keys.log
  tcpdump -i eth0 -w - tcp | vitrine decrypt - --keylog keys.log
  vitrine decrypt -f growing.pcap --keylog growing.log
  vitrine decrypt -i any --keylog keys.log --ui`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			d.cmd = cmd
			return d.run(args)
		},
	}
	f := cmd.Flags()
	d.secrets.flags(cmd)
	d.which.flags(cmd)
	f.BoolVar(&d.json, "json", false, "print one JSON object for each connection, and nothing else")
	f.BoolVar(&d.print, "print", false, "print the decrypted data of the selected connections")
	f.BoolVar(&d.inner, "inner", false,
		"also read TLS inside the data of TLS, as through a proxy that is reached over TLS")
	f.StringVar(&d.out, "out", "",
		"write the decrypted data to files in this folder, one for each direction")
	f.StringVar(&d.pcap, "pcap", "",
		"write a copy of the capture to this file, with the secrets that decrypted it")
	f.StringVar(&d.keyLog, "keylog-out", "",
		"write the secrets of the selected connections to this file (SSLKEYLOGFILE, RFC 9850)")
	f.StringVar(&d.artefacts.html, "html", "",
		"write the selected connections to this file as a page for a browser")
	f.StringVar(&d.artefacts.events, "events", "",
		"write the events of the selected connections to this file as JSON lines, for vitrine "+
			"explain")
	f.BoolVar(&d.artefacts.reveal, "reveal", false,
		"show secrets and plaintext in --html, --events, --detail and --ui")
	d.live.add(cmd)
	f.StringVarP(&d.follow, "follow", "f", "",
		"read this capture while it grows, and key logs too, until interrupted")
	f.StringVarP(&d.netif, "interface", "i", "",
		"read packets of this network interface until interrupted (Linux; \"any\" for all)")
	detailFlag(cmd, &d.detail)
	colorFlag(cmd, &d.color)
	return cmd
}

// run reads the capture and shows what is in it.
func (d *decryption) run(args []string) (err error) {
	if d.style, err = styleOf(d.cmd.OutOrStdout(), d.color); err != nil {
		return err
	}
	if d.level, err = levelOf(d.detail); err != nil {
		return err
	}
	if err := d.which.parse(); err != nil {
		return err
	}
	live := d.follow != "" || d.netif != ""
	if live {
		args = d.live.address(args)
	} else if d.live.on() {
		return &usageError{"--ui and --history show connections as they happen, so they need -f " +
			"and -i", "vitrine decrypt -f growing.pcapng --ui"}
	}
	in, err := d.input(args)
	if err != nil {
		return err
	}
	defer in.close()
	secrets, err := d.secrets.load(d.cmd, live)
	if err != nil {
		return err
	}
	stop, err := d.look()
	if err != nil {
		return err
	}
	defer stop()
	show, err := newShowing(d, in, secrets)
	if err != nil {
		return err
	}
	damage := in.read(show)
	if err := show.finish(); err != nil {
		return err
	}
	switch {
	case damage != nil:
		return damage
	case in.live:
		return nil
	case show.tls == 0:
		return errNothing
	case show.picked == 0 && d.which.any():
		return errUnselected
	case secrets.any() && show.undecrypted > 0:
		return errUndecrypted
	case secrets.any() && show.picked > 0 && show.read == 0:
		return errUnopened
	case (d.print || d.out != "") && show.picked > 0 && show.read == 0:
		return errUnshown
	}
	return nil
}

// input opens the capture or the interface.
func (d *decryption) input(args []string) (*packets, error) {
	given := min(len(args), 1)
	for _, s := range []string{d.follow, d.netif} {
		if s != "" {
			given++
		}
	}
	const example = "vitrine decrypt traffic.pcapng"
	if given != 1 {
		return nil, &usageError{fmt.Sprintf("%s takes CAPTURE files, -f FILE or -i INTERFACE; "+
			"got %d of them", d.cmd.CommandPath(), given), example}
	}
	p := &packets{ctx: d.cmd.Context(), stderr: d.cmd.ErrOrStderr()}
	switch {
	case d.netif != "":
		return p, p.openInterface(d.netif)
	case d.follow != "":
		return p, p.openGrowing(d.follow)
	case len(args) == 1 && args[0] == "-":
		return p, p.openStream(d.cmd.InOrStdin(), d.pcap != "")
	}
	return p, p.openCaptures(args)
}

// selection says which connections are selected.
type selection struct {
	streams     string
	hosts, snis []string
	ports       []int
	ranges      [][2]int
}

func (s *selection) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.streams, "stream", "",
		"only the connections with these numbers: 3,7-9 (Wireshark's tcp.stream, but ICMP errors "+
			"count for none), eap1, or eap for all of EAP")
	f.StringSliceVar(&s.hosts, "host", nil, "only connections from or to this address")
	f.IntSliceVar(&s.ports, "port", nil, "only connections from or to this port")
	f.StringSliceVar(&s.snis, "sni", nil,
		"only connections to the server of this name; *.example.com for names under it")
}

// parse reads --stream, and checks --port.
func (s *selection) parse() error {
	for part := range strings.SplitSeq(s.streams, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		part, eap := strings.CutPrefix(part, "eap")
		if eap && part == "" {
			s.ranges = append(s.ranges, [2]int{math.MinInt, -1})
			continue
		}
		first, last, ranged := strings.Cut(part, "-")
		if !ranged {
			last = first
		}
		a, err1 := strconv.Atoi(first)
		b, err2 := strconv.Atoi(last)
		if err1 != nil || err2 != nil || a < 0 || b < a {
			return &usageError{fmt.Sprintf("--stream takes numbers and ranges of them, got %q",
				part), "vitrine decrypt traffic.pcapng --stream 3,7-9"}
		}
		if eap { // whose numbers are below 0
			a, b = -b, -a
		}
		s.ranges = append(s.ranges, [2]int{a, b})
	}
	for _, p := range s.ports {
		if p < 1 || p > math.MaxUint16 {
			return &usageError{fmt.Sprintf("--port takes numbers from 1 to 65535, got %d", p),
				"vitrine decrypt traffic.pcapng --port 443"}
		}
	}
	return nil
}

// any reports whether a flag selects connections.
func (s *selection) any() bool {
	return len(s.ranges)+len(s.hosts)+len(s.ports)+len(s.snis) > 0
}

// takes reports whether a connection is selected by its number and addresses.
func (s *selection) takes(w *observe.Watched) bool {
	if len(s.ranges) > 0 &&
		!slices.ContainsFunc(s.ranges,
			func(r [2]int) bool { return r[0] <= w.Number && w.Number <= r[1] }) {
		return false
	}
	if len(s.ports) > 0 &&
		!slices.ContainsFunc(s.ports,
			func(p int) bool { return p == int(w.Client.Port()) || p == int(w.Server.Port()) }) {
		return false
	}
	return len(s.hosts) == 0 || slices.ContainsFunc(s.hosts, func(h string) bool {
		return h == w.Client.Addr().Unmap().String() || h == w.Server.Addr().Unmap().String()
	})
}

// named reports whether a connection is selected by its server's name.
func (s *selection) named(name string) bool {
	return len(s.snis) == 0 || slices.ContainsFunc(s.snis, func(want string) bool {
		if under, ok := strings.CutPrefix(want, "*"); ok {
			return strings.HasSuffix(strings.ToLower(name), strings.ToLower(under))
		}
		return strings.EqualFold(name, want)
	})
}

// packets is the source of a capture.
type packets struct {
	ctx    context.Context
	stderr io.Writer

	open  func() (*captureFiles, error) // from the first packet; nil if it can be read only once
	once  packetSource
	live  bool   // it continues until an interrupt
	late  bool   // secrets may follow the packets that they decrypt
	spool string // name of a copy of standard input, for --pcap

	growing *growing
	size    int64
	at      func() int64 // bytes read so far
	shut    []func()
}

// packetSource is a source of packets: a capture.Reader or an interface.
type packetSource interface {
	Next() (capture.Packet, error)
}

func (p *packets) close() {
	for _, f := range slices.Backward(p.shut) {
		f()
	}
}

// read passes every packet to the assembler.
func (p *packets) read(s *showing) error {
	defer s.watch.Close()
	defer s.assembler.Close()
	source := p.once
	if source == nil {
		r, err := p.open()
		if err != nil {
			return err
		}
		source = r
	}
	if p.late {
		switch r := source.(type) {
		case *captureFiles:
			r.secrets = s.secretsBlock
		case *lazy:
			r.secrets = s.secretsBlock
			r.opened = func(r *capture.Reader) { s.watch.Late = s.watch.Late || r.MayHoldSecrets() }
		}
	}
	if p.growing != nil {
		p.growing.idle = s.idle
	}
	bar := newBar(p, s)
	defer bar.end()
	unknown := map[capture.LinkType]bool{}
	for n := 0; ; n++ {
		packet, err := source.Next()
		switch {
		case p.ctx.Err() != nil && p.live:
			s.interrupted()
			return nil
		case p.ctx.Err() != nil:
			return errors.New("interrupted: the rows show what was read until then")
		case err == io.EOF:
			return nil
		case errors.Is(err, errQuiet):
			s.idle()
			continue
		case err != nil:
			return fmt.Errorf("%w; what was read before is shown above", err)
		}
		if err := s.assembler.Add(packet); err != nil && !unknown[packet.Link] {
			unknown[packet.Link] = true
			fmt.Fprintf(fit(p.stderr), "! %v\n", err)
		}
		if n%4096 == 0 {
			bar.show()
			s.retry()
			if p.live {
				s.idle()
			}
		}
	}
}

// errQuiet means that no packet came for a moment and more may come.
var errQuiet = errors.New("no packet yet")

// openStream reads a capture that can be read only once. It keeps a copy if spool is set.
func (p *packets) openStream(in io.Reader, spool bool) error {
	p.late = true
	if spool {
		f, err := spoolFile()
		if err != nil {
			return err
		}
		p.spool = f.Name()
		p.shut = append(p.shut, func() { f.Close(); os.Remove(f.Name()) })
		in = io.TeeReader(in, f)
	}
	r, err := capture.OpenContext(p.ctx, in)
	if err != nil {
		return notCapture("standard input", err)
	}
	p.once = &captureFiles{files: []*captureFile{{r: r}}}
	return nil
}
