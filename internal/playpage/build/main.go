// Command build builds the playground for the browser into internal/playpage/built, from where it
// is embedded in the command vitrine. It is run in the root of the repository.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/vitrine-tls/vitrine/internal/playpage"
)

func main() {
	if err := playpage.Build(context.Background(), os.Stderr, ".",
		"internal/playpage/built", playpage.Small); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
