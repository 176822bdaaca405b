// Package wholefile writes files that are there whole or not at all: a reader sees the old file or the whole new one,
// also if the process is killed or the disk is full. Start with Write. It may be called from several goroutines, for
// the same file too: the one that ends last stays.
package wholefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Write makes a file with this mode, or replaces the one that is there, in one step. Render writes the text; where the
// text must outlast a loss of power, it calls Sync too. After an error, of render or of the system, all is as before.
// Errors of the system name the file that was meant, and not the one with a passing name beside it.
func Write(path string, mode fs.FileMode, render func(*os.File) error) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // with mode 0600
	if err != nil {
		return naming(path, "", err)
	}
	err = render(file)
	if err == nil && mode != 0o600 {
		err = os.Chmod(file.Name(), mode)
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return naming(path, file.Name(), err)
}

// naming puts the path of the file that was meant into an error about the one with a passing name; empty: any error.
func naming(path, passing string, err error) error {
	var moving *os.LinkError
	if errors.As(err, &moving) && moving.New == path {
		return &fs.PathError{Op: moving.Op, Path: path, Err: moving.Err}
	}
	var doing *fs.PathError
	if errors.As(err, &doing) && (passing == "" || doing.Path == passing) {
		doing.Path = path
	}
	return err
}

// Text is a render that writes a text.
func Text(text []byte) func(*os.File) error {
	return func(file *os.File) error {
		_, err := file.Write(text)
		return err
	}
}
