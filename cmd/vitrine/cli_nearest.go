package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// nearest returns the value of known that takes the fewest changes from got: a letter too much, too
// few or wrong, or two that changed places. Of several it is the one that begins most like got, and
// of those the last, which of versions is the newest. If none is near it is the first of all.
func nearest(got string, known []string) string {
	best, least, most := known[0], max(2, len(got)/2)+1, -1
	for _, k := range known {
		n, same := changes(strings.ToLower(got), strings.ToLower(k)), shared(got, k)
		if n < least || n == least && same >= most && most >= 0 {
			best, least, most = k, n, same
		}
	}
	return best
}

// shared returns the length of the common beginning.
func shared(a, b string) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// changes returns the distance of two words in changes, of a byte each or of two that are swapped.
func changes(a, b string) int {
	rows := [3][]int{}
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
	}
	two, one, now := rows[0], rows[1], rows[2] // the rows of i-2, i-1 and i
	for j := range now {
		now[j] = j
	}
	for i := 1; i <= len(a); i++ {
		two, one, now = one, now, two
		now[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			now[j] = min(one[j]+1, now[j-1]+1, one[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], two[j-2]+1)
			}
		}
	}
	return now[len(b)]
}

// flagError returns the error of the command line for an error of pflag. It names the nearest flag.
func flagError(cmd *cobra.Command, err error) error {
	if value, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return flagValueError(cmd, value)
	}
	problem := err.Error()
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		name := unknown.GetSpecifiedName()
		if len(names) > 0 && len(name) > 1 {
			problem = fmt.Sprintf("there is no flag --%s", name)
			if here := elsewhere[name]; here != "" && cmd.Flags().Lookup(firstFlag(here)) != nil {
				return &usageError{problem + "; here it is " + here, cmd.CommandPath() + " --help"}
			}
			if near := nearFlag(name, names); near != "" {
				problem += "; there is --" + near
			}
		}
	}
	return &usageError{problem, cmd.CommandPath() + " --help"}
}

// elsewhere has what flags of other commands, and of other programs, are called where they are not.
var elsewhere = map[string]string{
	"tls":  "--min VERSION and --max VERSION, such as --min 1.2 --max 1.2 for TLS 1.2 alone",
	"tls1": "--min 1.0 --max 1.0", "tls1_1": "--min 1.1 --max 1.1", "tls1_2": "--min 1.2 --max 1.2",
	"tls1_3": "--min 1.3", "tlsv1.0": "--min 1.0", "tlsv1.1": "--min 1.1", "tlsv1.2": "--min 1.2",
	"tlsv1.3": "--min 1.3", "tls-max": "--max VERSION", "version-min": "--min VERSION",
	"cipher": "--suite NAME", "ciphers": "--suite NAME", "ciphersuites": "--suite NAME",
	"tls13-ciphers": "--suite NAME", "curves": "--group NAME", "groups": "--group NAME",
	"servername": "--sni NAME", "server-name": "--sni NAME", "cacert": "--ca FILE",
	"cafile": "--ca FILE", "x509cafile": "--ca FILE", "verify-return-error": "--ca FILE",
	"keylogfile": "--keylog-out FILE", "pinnedpubkey": "--pin PIN", "pass": "--password @FILE",
	"x509certfile": "--cert FILE", "x509keyfile": "--key FILE", "port": "--listen :PORT",
	"accept": "--listen :PORT", "host": "--listen ADDRESS:PORT",
}

// firstFlag returns the name of the first flag in a text.
func firstFlag(text string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(text, "--"), " ")
	return name
}

// nearFlag returns the flag that was meant: one that has the name as its last word, such as
// client-ca, or is its beginning, such as ca of cafile, or one that differs in few letters, or ""
// if there is none.
func nearFlag(name string, names []string) string {
	for _, n := range names {
		if strings.HasSuffix(n, "-"+name) || strings.HasPrefix(name, n) && len(n) > 1 {
			return n
		}
	}
	if near := nearest(name, names); changes(name, near) <= min(2, len(name)/2) {
		return near
	}
	return ""
}

// flagValueError returns the error of the command line for a value that a flag does not take. Its
// way out is the command line as it was given so far, with a value that works.
func flagValueError(cmd *cobra.Command, err *pflag.InvalidValueError) error {
	f, got := err.GetFlag(), err.GetValue()
	takes, example := "a number", f.DefValue
	switch kind := f.Value.Type(); kind {
	case "duration":
		takes, example = "a time with its unit, such as 5s, 500ms or 2m", "5s"
		if _, err := strconv.ParseUint(got, 10, 31); err == nil {
			example = got + "s"
		}
	case "bool":
		takes, example = "true or false", "true"
	case "int", "int64", "uint", "uint16", "uint64", "intSlice", "count":
		takes = "a number"
		if example == "" || example == "[]" || example == "0" {
			example = "1"
		}
	}
	return &usageError{fmt.Sprintf("--%s takes %s, got %q", f.Name, takes, got),
		asGiven(cmd, f.Name) + " --" + f.Name + "=" + quoted(example)}
}

// newHelp returns the command "help", which fails for what there is no help about.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about any command",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return noCommand(cmd.Root(), args[0])
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// noCommand is the error of a word that is no command.
func noCommand(root *cobra.Command, word string) error {
	var names []string
	for _, c := range root.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	wayOut := "vitrine help"
	if near := nearest(word, names); changes(word, near) <= 2 {
		wayOut = "vitrine " + near
	}
	return &usageError{fmt.Sprintf("there is no command %q", word), wayOut}
}
