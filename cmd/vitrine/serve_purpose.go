package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/front"
)

// service is what is done with connections.
type service struct {
	use     func(context.Context, *vitrine.Conn) // nil with a handler
	handler http.Handler
}

// purpose returns what the flags say is to be done with connections.
func (h *host) purpose() (s service, err error) {
	var given []string
	for _, m := range []struct {
		flag string
		on   bool
	}{{"--hello", h.hello}, {"--dir", h.dir != ""}, {"--echo", h.echo},
		{"--forward", h.forward != ""}} {
		if m.on {
			given = append(given, m.flag)
		}
	}
	example := h.cmd.CommandPath()
	if h.echo || h.forward != "" {
		if err := h.onlyHTTP(given[0], example); err != nil {
			return s, err
		}
	}
	if len(given) > 1 {
		return s,
			contradiction(given[0], given[1], "a server does one of them", example+" --hello")
	}
	if len(given) > 0 && given[0] != "--hello" && h.showKeys {
		return s, contradiction("--show-keys", given[0], "it is for the page of --hello",
			example+" --show-keys")
	}
	switch {
	case h.echo:
		return service{use: front.Echo}, nil
	case h.forward != "":
		s.use, err = h.passOn(example)
		return s, err
	case h.dir != "":
		root, err := os.OpenRoot(h.dir) // links cannot leave the folder
		if err != nil {
			return s,
				&usageError{fmt.Sprintf("--dir %s: %v", h.dir, plainer(err)), example + " --dir ."}
		}
		s.handler = http.FileServerFS(root.FS())
	default:
		h.desk = newDesk(h.cmd.CommandPath(), h.showKeys)
		s.handler = h.desk
	}
	for _, p := range h.alpn {
		if !slices.Contains(h.protocols(), p) {
			return s,
				contradiction("--alpn "+p, "HTTP",
					"what is served speaks "+strings.Join(h.protocols(), " and "),
					example+" --echo --alpn "+quoted(p))
		}
	}
	if h.config.NextProtos == nil {
		h.config.NextProtos = h.protocols()
	}
	if h.lateAuth {
		s.handler = front.AskClients(s.handler, h.late, h.timeout, h.proved)
	}
	return s, nil
}

// begin returns what to do with a connection that came to addr and, if that needs an end, how to
// end it.
func (h *host) begin(s service, addr net.Addr) (
	use func(context.Context, *vitrine.Conn), end func(context.Context) error) {
	if s.handler == nil {
		return s.use, nil
	}
	if h.desk != nil {
		h.desk.listen = addr.String()
	}
	return front.HTTP(s.handler, h.timeout, addr, h.complain)
}
