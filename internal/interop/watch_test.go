package interop_test

import (
	"net"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// watched is a socket that measures the records that pass.
type watched struct {
	*net.TCPConn
	read, written ruler
}

// watch starts to measure.
func (m *meeting) watch(c net.Conn) net.Conn {
	us := m.them.Peer()
	return &watched{TCPConn: c.(*net.TCPConn), read: ruler{longest: &m.longest[m.them]},
		written: ruler{longest: &m.longest[us]}}
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.TCPConn.Read(b)
	w.read.measure(b[:n])
	return n, err
}

func (w *watched) Write(b []byte) (int, error) {
	w.written.measure(b)
	return w.TCPConn.Write(b)
}

// ruler measures a stream of records. See RFC 5246 §6.2.1.
type ruler struct {
	longest *int
	header  []byte
	skip    int // to the next header
}

func (r *ruler) measure(b []byte) {
	for len(b) > 0 {
		if r.skip > 0 {
			n := min(r.skip, len(b))
			r.skip, b = r.skip-n, b[n:]
			continue
		}
		n := min(record.HeaderLen-len(r.header), len(b))
		r.header, b = append(r.header, b[:n]...), b[n:]
		if len(r.header) < record.HeaderLen {
			continue
		}
		r.skip = int(r.header[3])<<8 | int(r.header[4])
		if iana.ContentType(r.header[0]) == iana.RecordApplicationData {
			*r.longest = max(*r.longest, r.skip)
		}
		r.header = r.header[:0]
	}
}
