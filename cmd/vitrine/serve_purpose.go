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

// purpose returns what to do with a connection and, if that needs an end, how to end it.
func (h *host) purpose(addr net.Addr) (
	use func(context.Context, *vitrine.Conn), end func(context.Context) error, err error) {
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
			return nil, nil, err
		}
	}
	if len(given) > 1 {
		return nil, nil,
			contradiction(given[0], given[1], "a server is for one thing", example+" --hello")
	}
	if len(given) > 0 && given[0] != "--hello" && h.showKeys {
		return nil, nil, contradiction("--show-keys", given[0], "it is for the page of --hello",
			example+" --show-keys")
	}
	var handler http.Handler
	switch {
	case h.echo:
		return front.Echo, nil, nil
	case h.forward != "":
		use, err := h.passOn(example)
		return use, nil, err
	case h.dir != "":
		root, err := os.OpenRoot(h.dir) // links cannot leave the folder
		if err != nil {
			return nil, nil,
				&usageError{fmt.Sprintf("--dir %s: %v", h.dir, plainer(err)), example + " --dir ."}
		}
		handler = http.FileServerFS(root.FS())
	default:
		h.desk = newDesk(h.cmd.CommandPath(), addr.String(), h.showKeys)
		handler = h.desk
	}
	for _, p := range h.alpn {
		if !slices.Contains(h.protocols(), p) {
			return nil, nil,
				contradiction("--alpn "+p, "HTTP",
					"what is served speaks "+strings.Join(h.protocols(), " and "),
					example+" --echo --alpn "+quoted(p))
		}
	}
	if h.config.NextProtos == nil {
		h.config.NextProtos = h.protocols()
	}
	if h.lateAuth {
		handler = front.AskClients(handler, h.late, h.timeout, h.proved)
	}
	use, end = front.HTTP(handler, h.timeout, addr, h.complain)
	return use, end, nil
}
