package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/internal/playpage"
)

// playgroundOptions are the flags of playground.
type playgroundOptions struct {
	listen string
	out    string
	seed   string
	lesson int
}

func newPlayground() *cobra.Command {
	var o playgroundOptions
	cmd := &cobra.Command{
		Use:   "playground",
		Short: "Flip any byte of a handshake in the browser, and see which check catches it",
		Long: `Serves a page with a client and a server in it, both real, and you between them:
any byte on the wire can be flipped, any record dropped, replayed, swapped or forged. The page says
which check of which side noticed, by which section of which RFC, or what the change did. Twelve
lessons lead through it; docs/teaching.md has their answers.

The two endpoints are this program's own, compiled to WebAssembly, and run in the page. Nothing
leaves it: it is served on this machine alone unless --listen says otherwise, and its policy allows
no other connection. With --out it is one file, which needs no server and no network.

The WebAssembly is in a vitrine that ./install.sh built. Without it this command builds it, once, if
the Go command and the repository that it was built from are there.

` + exitLine("playground"),
		Example: `  vitrine playground
  vitrine playground --lesson 2
  vitrine playground --out playground.html`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return playground(cmd, &o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:8480",
		"address to serve the page on; port 0 is any free one")
	f.StringVarP(&o.out, "out", "o", "", "write the page to this file and serve nothing")
	f.StringVar(&o.seed, "seed", "", "begin with a run of this seed")
	f.IntVar(&o.lesson, "lesson", 0, "begin with this lesson, 1 to 12")
	return cmd
}

// playground serves the page, or writes it to a file.
func playground(cmd *cobra.Command, o *playgroundOptions) error {
	if cmd.Flags().Changed("lesson") && (o.lesson < 1 || o.lesson > 12) {
		return &usageError{fmt.Sprintf("--lesson takes a number from 1 to 12, got %d", o.lesson),
			cmd.CommandPath() + " --lesson 1"}
	}
	for _, flag := range []string{"listen", "lesson", "seed"} {
		if o.out != "" && cmd.Flags().Changed(flag) {
			return contradiction("--out "+o.out, "--"+flag,
				"a file is written, and nothing is served", cmd.CommandPath()+" --out "+o.out)
		}
	}
	assets, err := playpage.Find(cmd.Context(), cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	if o.out != "" {
		return writePlayground(cmd, o, assets)
	}
	h, err := playpage.NewHandler(assets)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return cannotListen("--listen", o.listen, err,
			cmd.CommandPath()+" --listen 127.0.0.1:0")
	}
	fmt.Fprintf(cmd.OutOrStdout(), "http://%s/%s\n", l.Addr(), o.fragment())
	fmt.Fprintln(cmd.ErrOrStderr(), "Open it in a browser. An interrupt ends it.")
	return serveUntil(cmd.Context(), l, h)
}

// writePlayground writes the page to the file of --out, and tells its address. Everybody may read
// the file: it is for a class, and all keys in it follow from seeds that are public.
func writePlayground(cmd *cobra.Command, o *playgroundOptions, a *playpage.Assets) error {
	page, err := playpage.File(a)
	if err != nil {
		return err
	}
	if err := writePublicFile(o.out, func(w io.Writer) error {
		_, err := w.Write(page)
		return err
	}); err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s has the playground, %.1f MB: open it in a browser.\n", o.out,
		float64(len(page))/1e6)
	return nil
}

// fragment returns what the flags say about where the page begins.
func (o *playgroundOptions) fragment() string {
	q := url.Values{}
	if o.lesson > 0 {
		q.Set("lesson", fmt.Sprint(o.lesson))
	}
	if o.seed != "" {
		q.Set("seed", o.seed)
	}
	if len(q) == 0 {
		return ""
	}
	return "#" + q.Encode()
}

// serveUntil serves until the context ends, an interrupt or a SIGTERM.
func serveUntil(ctx context.Context, l net.Listener, h http.Handler) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	s := &http.Server{Handler: h, WriteTimeout: time.Minute}
	context.AfterFunc(ctx, func() { s.Close() })
	if err := servePage(s, l, maxPlayers); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
