package runs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"agstest/internal/userfile"
)

// errHeld tells that another process holds a folder.
var errHeld = errors.New("it is held by another process")

// claimPatience bounds the wait for others that claim a folder beside ours, which takes them a moment. A process that
// holds the folder above for longer has reasons of its own, as with flock(1), and is no reason not to run.
const claimPatience = 500 * time.Millisecond

// claim makes the temporary folder of a run and holds it for this process, unless another run on the way to the same
// final folder holds its own. The hold ends with the process, however it ends; a folder that a killed run has left
// claims nothing.
func (f *Folder) claim(makeFolder func() error) error {
	// so that of two runs that begin at the same time one sees the other
	above, err := holdWithin(filepath.Dir(f.final), claimPatience)
	if err == nil {
		defer above.Close()
	}
	other, err := f.rival()
	if err != nil {
		return err
	}
	if other != "" {
		return fmt.Errorf(
			"another run is on its way to %s (at present in %s): wait until it has ended, or name another folder",
			f.final, other)
	}
	if err := makeFolder(); err != nil {
		return err
	}
	f.held, _ = hold(f.path) // where a file system knows no holds, runs at the same time replace each other, whole
	return nil
}

// rival finds the temporary folder of another run that is under way to the same final one; empty if there is none.
func (f *Folder) rival() (string, error) {
	above, base := filepath.Dir(f.final), filepath.Base(f.final)+"."
	entries, err := os.ReadDir(above)
	if err != nil {
		return "", fmt.Errorf("looking into %s, where the run should go: %w", above, userfile.WithoutPath(err))
	}
	for _, entry := range entries {
		id, ours := strings.CutPrefix(strings.TrimSuffix(entry.Name(), partialSuffix), base)
		if !ours || !entry.IsDir() || !strings.HasSuffix(entry.Name(), partialSuffix) || strings.Contains(id, ".") {
			continue
		}
		path := filepath.Join(above, entry.Name())
		switch held, err := hold(path); {
		case errors.Is(err, errHeld):
			return path, nil
		case err == nil:
			held.Close()
		}
	}
	return "", nil
}

// Hold holds a folder for this process until release is called, or the process ends. It is not free while another
// process, or another part of this one, holds it; where a file system knows no holds, every folder is free.
func Hold(folder string) (release func(), free bool) {
	held, err := holdWithin(folder, claimPatience)
	switch {
	case errors.Is(err, errHeld):
		return nil, false
	case err != nil:
		return func() {}, true
	}
	return func() { held.Close() }, true
}

func holdWithin(path string, patience time.Duration) (*os.File, error) {
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		held, err := hold(path)
		if !errors.Is(err, errHeld) || time.Now().After(deadline) {
			return held, err
		}
	}
}
