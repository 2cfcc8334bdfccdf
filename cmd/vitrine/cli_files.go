package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// All files that the commands write are made here, since most may hold secrets: nobody but their
// owner reads them, also if something of their name was there before, and no symbolic link leads
// them elsewhere. Names in /dev, such as /dev/stdout, are written to as they are.

const secretMode fs.FileMode = 0o600

// writeFile writes a file that is there whole or not at all. It takes the place of whatever has its
// name, a link too.
func writeFile(name string, write func(io.Writer) error) error {
	if isDevice(name) {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return err
		}
		return errors.Join(write(f), f.Close())
	}
	if info, err := os.Lstat(name); err == nil && info.IsDir() {
		return &fs.PathError{Op: "write", Path: name, Err: errors.New("is a folder")}
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*") // of secretMode
	if err != nil {
		return err
	}
	err = errors.Join(write(f), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// newFile makes a file for what comes bit by bit, in the place of whatever has its name.
func newFile(name string) (*os.File, error) {
	if info, err := os.Lstat(name); err == nil && !info.IsDir() {
		if err := os.Remove(name); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, secretMode)
}

// appendFile opens a file to go on with, or makes it. One that is there must be the user's own, and
// a regular file or a named pipe; others could read what is written to it, and no mode keeps them
// from that.
func appendFile(name string) (*os.File, error) {
	const flags = os.O_WRONLY | os.O_APPEND
	if isDevice(name) {
		return os.OpenFile(name, flags, 0)
	}
	before, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return os.OpenFile(name, flags|os.O_CREATE|os.O_EXCL, secretMode)
	case err != nil:
		return nil, err
	}
	if err := ours(before); err != nil {
		return nil, fmt.Errorf("%s %w", name, err)
	}
	f, err := os.OpenFile(name, flags, 0)
	if err != nil {
		return nil, err
	}
	after, err := f.Stat()
	if err == nil && !os.SameFile(before, after) {
		err = fmt.Errorf("%s was exchanged for another file", name)
	}
	if err == nil {
		err = f.Chmod(secretMode)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// ours returns why nothing secret is written to a file that is there.
func ours(info fs.FileInfo) error {
	switch kind := info.Mode().Type(); {
	case kind == fs.ModeSymlink:
		return errors.New("is a symbolic link, through which no secrets are written: name the " +
			"file itself")
	case kind != 0 && kind != fs.ModeNamedPipe:
		return errors.New("is neither a file nor a named pipe")
	case !owned(info):
		return errors.New("belongs to another user, who could read the secrets")
	}
	return nil
}

// isDevice reports whether a name is one of the system's own for something that is no file.
func isDevice(name string) bool {
	name, err := filepath.Abs(name)
	return err == nil &&
		slices.Contains([]string{"/dev", "/dev/fd", "/proc/self/fd"},
			filepath.ToSlash(filepath.Dir(name)))
}

// spoolFile makes a file that has no other name for long.
func spoolFile() (*os.File, error) { return os.CreateTemp("", "vitrine-*.pcapng") }
