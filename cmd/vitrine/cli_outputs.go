package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// output says what a flag names.
type output uint8

const (
	noOutput output = iota
	intoFile
	intoFolder // which is made if it is missing, with those around it
)

// writing has the flags that name what a command writes; "COMMAND FLAG" goes before FLAG.
var writing = map[string]output{
	"ca-out": intoFile, "chain-out": intoFile, "events": intoFile, "html": intoFile,
	"junit": intoFile, "keylog-out": intoFile, "markdown": intoFile, "out": intoFile,
	"pcap": intoFile, "sarif": intoFile, "state": intoFile, "testssl-json": intoFile,
	"decrypt out": intoFolder, "forward-out": intoFolder, "history": intoFolder,
	"man out": intoFolder, "save-keys": intoFolder,
}

// outputOf returns what a flag of a command names.
func outputOf(cmd *cobra.Command, flag string) output {
	if kind, ok := writing[cmd.Name()+" "+flag]; ok {
		return kind
	}
	return writing[flag]
}

// checkOutputs returns an error if something that a command is to write cannot be written, before
// any work is done for it.
func checkOutputs(cmd *cobra.Command, _ []string) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		kind, name := outputOf(cmd, f.Name), f.Value.String()
		if kind == noOutput || err != nil || name == "" || name == "-" || isDevice(name) {
			return
		}
		if kind == intoFile {
			err = writable("--"+f.Name, name, asGiven(cmd, f.Name))
		} else {
			err = fillable("--"+f.Name, name, asGiven(cmd, f.Name))
		}
	})
	return err
}

// writable returns an error if no file of that name can be written. flag names it, and line is a
// command line without that flag.
func writable(flag, name, line string) error {
	info, err := os.Lstat(name)
	switch {
	case err == nil && info.IsDir():
		return &usageError{fmt.Sprintf("%s %s: is a folder", flag, name),
			line + " " + flag + " " + quoted(filepath.Join(name, "out"))}
	case err == nil && info.Mode().IsRegular():
		if err := takesData(name); err != nil {
			return &usageError{fmt.Sprintf("%s %s: %v", flag, name, plainer(err)),
				line + " " + flag + " " + quoted(filepath.Base(name)+".new")}
		}
		return nil
	case err == nil:
		return nil // a link or a pipe: who opens it says what is wrong
	}
	dir := filepath.Dir(name)
	if err := takesFiles(dir); err != nil {
		return &usageError{fmt.Sprintf("%s %s: the folder %s: %v", flag, name, dir, plainer(err)),
			line + " " + flag + " " + quoted(filepath.Base(name))}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return &usageError{fmt.Sprintf("%s %.40s: %v", flag, name, plainer(err)),
			line + " " + flag + " out"}
	}
	return nil
}

// fillable returns an error if nothing can be written into a folder of that name, which is made if
// it is missing.
func fillable(flag, name, line string) error {
	dir := filepath.Clean(name)
	for {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	if err := takesFiles(dir); err != nil {
		return &usageError{fmt.Sprintf("%s %s: the folder %s: %v", flag, name, dir, plainer(err)),
			line + " " + flag + " " + quoted(filepath.Base(name))}
	}
	return nil
}
