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

// All files that the commands write are made here. Most may hold secrets: only their owner may read
// them, even if a file of that name existed before, and no symbolic link may redirect them. Names
// in /dev, such as /dev/stdout, are opened as they are.

const (
	secretMode fs.FileMode = 0o600
	publicMode fs.FileMode = 0o644 // of what has no secret of anybody, and is for others to read
)

// writeFile writes a file for its owner alone, completely or not at all. It replaces whatever has
// that name, a symbolic link too.
func writeFile(name string, write func(io.Writer) error) error {
	return writeFileAs(name, secretMode, write)
}

// writePublicFile writes a file as writeFile does, and everybody may read it.
func writePublicFile(name string, write func(io.Writer) error) error {
	return writeFileAs(name, publicMode, write)
}

func writeFileAs(name string, mode fs.FileMode, write func(io.Writer) error) error {
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
	// until it is whole, its mode is secretMode
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return ofFile(err, name)
	}
	err = write(f)
	if err == nil && mode != secretMode {
		err = f.Chmod(mode)
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return ofFile(err, name)
}

// ofFile returns err with name in the place of the temporary file's.
func ofFile(err error, name string) error {
	path, isPath := errors.AsType[*fs.PathError](err)
	link, isLink := errors.AsType[*os.LinkError](err)
	switch {
	case isPath:
		return &fs.PathError{Op: "write", Path: name, Err: path.Err}
	case isLink:
		return &fs.PathError{Op: "write", Path: name, Err: link.Err}
	}
	return err
}

// newFile creates a file that is written piece by piece. It replaces whatever has that name.
func newFile(name string) (*os.File, error) {
	if info, err := os.Lstat(name); err == nil && !info.IsDir() {
		if err := os.Remove(name); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, secretMode)
}

// appendFile opens a file for appending, or creates it. An existing one must be a regular file or a
// named pipe of the user's own: from another user's, no mode keeps its owner from reading what is
// written.
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
		err = fmt.Errorf("%s was replaced by another file meanwhile", name)
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

// ours returns an error if secrets must not be written to an existing file.
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

// isDevice reports whether name is in one of the folders of device files and open files.
func isDevice(name string) bool {
	name, err := filepath.Abs(name)
	return err == nil &&
		slices.Contains([]string{"/dev", "/dev/fd", "/proc/self/fd"},
			filepath.ToSlash(filepath.Dir(name)))
}

// spoolFile creates a temporary file, which the caller removes.
func spoolFile() (*os.File, error) { return os.CreateTemp("", "vitrine-*.pcapng") }

// takesData returns an error if a file that exists cannot be written.
func takesData(name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// takesFiles returns an error if no file can be made in a folder. It makes one and removes it.
func takesFiles(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return errors.New("not a folder")
	}
	f, err := os.CreateTemp(dir, ".vitrine-*")
	if err != nil {
		return fmt.Errorf("nothing can be written there: %w", plainer(err))
	}
	f.Close()
	return os.Remove(f.Name())
}
