package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vitrine-tls/vitrine/capture"
)

// socket reads an interface's packets from a packet socket, which needs the privilege CAP_NET_RAW.
// See packet(7).
type socket struct {
	fd   int
	buf  []byte
	link capture.LinkType
	n    int
}

// openInterface opens an interface, or all with the name "any". The kernel removes the link layer.
func (p *packets) openInterface(name string) error {
	index, kind, link := 0, unix.SOCK_DGRAM, capture.LinkRaw
	if name != "any" {
		netif, err := net.InterfaceByName(name)
		if err != nil {
			return &usageError{fmt.Sprintf("there is no network interface %q", name),
				"vitrine decrypt -i any"}
		}
		index = netif.Index
	}
	fd, err := unix.Socket(unix.AF_PACKET, kind|unix.SOCK_CLOEXEC, int(htons(unix.ETH_P_ALL)))
	switch {
	case errors.Is(err, unix.EPERM):
		self, _ := os.Executable()
		return fmt.Errorf("-i needs the privilege CAP_NET_RAW: run it as root, give it to the "+
			"program (setcap cap_net_raw=ep %s), or let tcpdump do it: tcpdump -i %s -w - tcp | "+
			"vitrine decrypt -", quoted(self), quoted(name))
	case err != nil:
		return fmt.Errorf("-i %s: %w", name, err)
	}
	s := &socket{fd: fd, buf: make([]byte, 1<<18), link: link}
	p.shut = append(p.shut, func() { unix.Close(fd) })
	wait := unix.NsecToTimeval(quiet.Nanoseconds())
	err = errors.Join(
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ALL), Ifindex: index}),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait),
	)
	if err != nil {
		return fmt.Errorf("-i %s: %w", name, err)
	}
	// the kernel takes as much of it as the system allows
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 16<<20)
	p.live, p.late, p.once = true, true, s
	fmt.Fprintf(p.stderr, "listening on %s; ctrl-c ends it\n", name)
	return nil
}

func htons(n uint16) uint16 { return n<<8 | n>>8 }

// Next returns the next IP packet, or errQuiet. On the loopback interface each packet appears
// twice, outgoing and incoming; the outgoing one is skipped.
func (s *socket) Next() (capture.Packet, error) {
	for {
		n, from, err := unix.Recvfrom(s.fd, s.buf, 0)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return capture.Packet{}, errQuiet
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return capture.Packet{}, err
		}
		ll, ok := from.(*unix.SockaddrLinklayer)
		ip := ok && (ll.Protocol == htons(unix.ETH_P_IP) || ll.Protocol == htons(unix.ETH_P_IPV6))
		if !ip || ll.Hatype == unix.ARPHRD_LOOPBACK && ll.Pkttype == unix.PACKET_OUTGOING {
			continue
		}
		s.n++
		return capture.Packet{Number: s.n, Time: time.Now(), Link: s.link, Data: s.buf[:n],
			Length: n}, nil
	}
}
