package reach

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// ParseProxy parses "http://host:port", "socks5://host:port", or "host:port", which means http. The
// host may be preceded by a user and a password.
func ParseProxy(s string) (*url.URL, error) {
	if !strings.Contains(s, "://") {
		s = "http://" + s
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, errors.New("not the URL of a proxy") // url.Error would quote a password
	case u.Hostname() == "":
		return nil, errors.New("the URL has no host")
	case u.Scheme != "http" && u.Scheme != "socks5" && u.Scheme != "socks5h":
		return nil, fmt.Errorf("a proxy of kind %q, expected http or socks5", u.Scheme)
	}
	return u, nil
}

func proxyPort(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "http" {
		return "3128"
	}
	return "1080"
}

// throughProxy asks the proxy to connect to the server.
func (w *Way) throughProxy(conn net.Conn) error {
	host := w.Host
	if w.Resolve != "" {
		host = w.Resolve
	}
	if w.Proxy.Scheme == "http" {
		return w.httpConnect(conn, net.JoinHostPort(host, w.Port))
	}
	return w.socks5(conn, host)
}

// httpConnect sends a CONNECT request. It reads the answer byte by byte, because what follows comes
// from the server. See RFC 9110 §9.3.6.
func (w *Way) httpConnect(conn net.Conn, to string) error {
	auth := ""
	if u := w.Proxy.User; u != nil {
		password, _ := u.Password()
		auth = "Proxy-Authorization: Basic " +
			base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password)) + "\r\n"
	}
	if _, err := fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", to, to,
		auth); err != nil {
		return err
	}
	var answer []byte
	for b := make([]byte, 1); !strings.HasSuffix(string(answer), "\r\n\r\n"); {
		if len(answer) > 8<<10 {
			return errors.New("the proxy's answer is longer than 8192 bytes")
		}
		if _, err := io.ReadFull(conn, b); err != nil {
			return fmt.Errorf("the proxy's answer: %w", err)
		}
		answer = append(answer, b[0])
	}
	status, _, _ := strings.Cut(string(answer), "\r\n")
	if words := strings.Fields(status); len(words) < 2 || !strings.HasPrefix(words[0], "HTTP/1.") ||
		!strings.HasPrefix(words[1], "2") {
		return fmt.Errorf("the proxy answers %.200q", status)
	}
	return nil
}

// socks5 makes a connection by RFC 1928, with the user and password of RFC 1929.
func (w *Way) socks5(conn net.Conn, host string) error {
	user, password := "", ""
	methods := []byte{5, 1, 0}
	if u := w.Proxy.User; u != nil {
		user = u.Username()
		password, _ = u.Password()
		methods = []byte{5, 2, 0, 2}
	}
	answer := make([]byte, 2)
	if err := ask(conn, methods, answer); err != nil {
		return err
	}
	switch {
	case answer[0] != 5:
		return errors.New("the proxy does not speak SOCKS 5")
	case answer[1] == 2 && len(user) < 256 && len(password) < 256:
		login := append([]byte{1, byte(len(user))}, user...)
		login = append(append(login, byte(len(password))), password...)
		if err := ask(conn, login, answer); err != nil {
			return err
		}
		if answer[1] != 0 {
			return errors.New("the proxy rejects the user and password")
		}
	case answer[1] != 0:
		return errors.New("the proxy asks for a user and a password: give them in its URL")
	}
	port, err := strconv.ParseUint(w.Port, 10, 16)
	if err != nil || len(host) > 255 {
		return fmt.Errorf("SOCKS 5 cannot name %.300q port %q", host, w.Port)
	}
	request := append([]byte{5, 1, 0, 3, byte(len(host))}, host...)
	if a, err := netip.ParseAddr(host); err == nil {
		kind := byte(1)
		if a.Is6() {
			kind = 4
		}
		request = append([]byte{5, 1, 0, kind}, a.AsSlice()...)
	}
	answer = make([]byte, 4)
	if err := ask(conn, append(request, byte(port>>8), byte(port)), answer); err != nil {
		return err
	}
	if answer[1] != 0 {
		return fmt.Errorf("the proxy: %s", socksReply(answer[1]))
	}
	rest := map[byte]int{1: 4 + 2, 4: 16 + 2}[answer[3]]
	if answer[3] == 3 {
		var n [1]byte
		if _, err := io.ReadFull(conn, n[:]); err != nil {
			return err
		}
		rest = int(n[0]) + 2
	}
	_, err = io.ReadFull(conn, make([]byte, rest))
	return err
}

func ask(conn net.Conn, request, answer []byte) error {
	if _, err := conn.Write(request); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, answer)
	return err
}

// socksReply describes the REP field of RFC 1928 §6.
func socksReply(rep byte) string {
	words := []string{"", "general failure", "not allowed by its rules", "network unreachable",
		"host unreachable", "connection refused",
		"TTL expired", "command not supported", "address type not supported"}
	if int(rep) < len(words) {
		return words[rep]
	}
	return fmt.Sprintf("reply 0x%02X", rep)
}
