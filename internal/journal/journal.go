// Package journal records the changes of a run, so that they can be put back even after the run was killed.
//
// Start with Begin. A run notes each change with what undoes it before it makes the change, and settles it when it is
// put back; agstest restore reads the journal of a run that broke off (Read), undoes what is open and settles it.
//
//	n, err := j.Note("suspend the account 7", undo) // on the disk when it returns
//	// make the change, go on, undo it
//	err = j.Settle(n)
//
// While something may have to be put back, a mark lies beside the environment file (Marker), and a second run against
// it ends with a PendingError. A Journal is safe for concurrent use; two processes are kept apart by the mark. Errors
// are of package failure.
package journal

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"agstest/internal/failure"
)

// FileName is the name of a journal in the folder of a run.
const FileName = "actions.journal"

// entry is one line: a change and its undoing, or that an earlier line is settled.
type entry struct {
	Environment string          `json:"environment,omitempty"` // file, in the first line
	Number      int             `json:"n,omitempty"`
	Do          string          `json:"do,omitempty"` // in words
	Undo        json.RawMessage `json:"undo,omitempty"`
	Settled     int             `json:"settled,omitempty"`
}

// Journal is the journal of one run. It is safe for concurrent use. Each line is on the disk when a call returns.
type Journal struct {
	mu     sync.Mutex
	file   *os.File // nil: nothing is noted any more
	path   string
	marker string // beside the environment file, while something may have to be put back
	open   []Open
	last   int
}

// Open is a change that was noted and not settled.
type Open struct {
	Number int
	Do     string
	Undo   json.RawMessage
}

// PendingError says that an earlier run against an environment has left something to be put back, or is still going on.
type PendingError struct{ Folder string }

func (e PendingError) Error() string {
	return fmt.Sprintf(
		"a run against this environment has changed states and not put them back, or is still going on: %s", e.Folder)
}

// Begin makes the journal of a run in its folder, which need not be there yet. The marker is a file beside the
// environment file: a run that finds one ends with a PendingError, unless it is told to pass over it.
func Begin(folder, environment string, passOver bool) (*Journal, error) {
	marker := Marker(environment)
	if text, err := os.ReadFile(marker); err == nil && !passOver {
		return nil, PendingError{string(text)}
	}
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return nil, failure.Setupf("finding the folder of the run: %w", err)
	}
	if err := os.MkdirAll(absolute, 0o700); err != nil {
		return nil, failure.Setupf("making the folder of the run: %w", err)
	}
	j := &Journal{path: filepath.Join(absolute, FileName), marker: marker}
	if j.file, err = os.OpenFile(j.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err != nil {
		return nil, failure.Setupf("making the journal of actions, without which nothing is changed: %w", err)
	}
	if err := j.write(entry{Environment: environment}); err != nil {
		j.file.Close()
		return nil, err
	}
	how := os.O_CREATE | os.O_EXCL | os.O_WRONLY
	if passOver {
		how = os.O_CREATE | os.O_TRUNC | os.O_WRONLY
	}
	m, err := os.OpenFile(marker, how, 0o600)
	if errors.Is(err, fs.ErrExist) { // another run was faster
		text, _ := os.ReadFile(marker)
		err = PendingError{string(text)}
	}
	if err == nil {
		_, err = m.WriteString(absolute)
		err = errors.Join(err, m.Sync(), m.Close())
	}
	if err != nil {
		j.file.Close()
		os.Remove(j.path)
		var pending PendingError
		if errors.As(err, &pending) {
			return nil, pending
		}
		return nil, failure.Setupf("making the mark beside the environment file that something may have to be put back, "+
			"without which nothing is changed: %w", err)
	}
	syncFolder(absolute)
	syncFolder(filepath.Dir(marker))
	return j, nil
}

// Marker is the file beside an environment file that names the folder of the run that has something to put back.
func Marker(environment string) string { return environment + ".actions" }

// noFolder says that a run has no such folder, and which one it has left.
func noFolder(folder string) error {
	if left := brokenOff(folder); left != "" {
		return failure.Usagef("there is no folder %s: the run that was to be there broke off and left %s, which has "+
			"something to put back: agstest restore %s", folder, left, left)
	}
	return failure.Usagef("there is no folder %s; agstest history list shows the runs that are stored", folder)
}

// brokenOff is the folder that a run to a folder has left with a journal where it was killed; empty if there is none.
func brokenOff(folder string) string {
	folder = filepath.Clean(folder)
	entries, err := os.ReadDir(filepath.Dir(folder))
	if err != nil {
		return ""
	}
	for _, e := range entries {
		left := filepath.Join(filepath.Dir(folder), e.Name())
		if !strings.HasPrefix(e.Name(), filepath.Base(folder)+".") || !strings.HasSuffix(e.Name(), ".partial") {
			continue
		}
		if _, err := os.Stat(filepath.Join(left, FileName)); err == nil {
			return left
		}
	}
	return ""
}

// Read opens the journal of a run that ended, and gives the environment file that it was about.
func Read(folder string) (*Journal, string, error) {
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return nil, "", failure.Usagef("finding the folder of the run: %w", err)
	}
	j := &Journal{path: filepath.Join(absolute, FileName)}
	file, err := os.OpenFile(j.path, os.O_RDWR|os.O_APPEND, 0)
	if _, missing := os.Stat(absolute); errors.Is(err, fs.ErrNotExist) && errors.Is(missing, fs.ErrNotExist) {
		return nil, "", noFolder(folder)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", failure.Usagef(
			"%s holds no journal of actions (%s): the run has changed nothing, or has put everything back", folder,
			FileName)
	}
	if err != nil {
		return nil, "", failure.Usagef("reading the journal of actions: %w", err)
	}
	j.file = file
	environment, lines := "", bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	if end, err := file.Stat(); err == nil && end.Size() > 0 {
		last := make([]byte, 1)
		// the last line was cut: the next does not belong to it
		if _, err := file.ReadAt(last, end.Size()-1); err == nil && last[0] != '\n' {
			_, _ = file.Write([]byte("\n"))
			_, _ = file.Seek(0, 0)
		}
	}
	for lines.Scan() {
		var e entry
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue // the last line of a run that was killed may be cut: its change was not made yet
		}
		switch {
		case e.Environment != "":
			environment = e.Environment
		case e.Settled > 0:
			j.drop(e.Settled)
		case e.Number > 0 && len(e.Undo) > 0:
			j.open = append(j.open, Open{e.Number, e.Do, e.Undo})
			j.last = max(j.last, e.Number)
		}
	}
	if err := lines.Err(); err != nil || environment == "" {
		file.Close()
		return nil, "", failure.Usagef("%s is no journal of actions", j.path)
	}
	j.marker = Marker(environment)
	if text, err := os.ReadFile(j.marker); err != nil || string(text) != absolute {
		j.marker = "" // it is of another run, which was told to pass over this one
	}
	return j, environment, nil
}

// Note records a change before it is made, with its undoing, and returns its number.
func (j *Journal) Note(do string, undo any) (int, error) {
	raw, err := json.Marshal(undo)
	if err != nil {
		return 0, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return 0, failure.Setupf("the journal of actions is closed")
	}
	if err := j.write(entry{Number: j.last + 1, Do: do, Undo: raw}); err != nil {
		return 0, err
	}
	j.last++
	j.open = append(j.open, Open{j.last, do, raw})
	return j.last, nil
}

// Settle notes that a change is put back.
func (j *Journal) Settle(number int) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.drop(number)
	if j.file == nil {
		return nil
	}
	return j.write(entry{Settled: number})
}

func (j *Journal) drop(number int) {
	for i, o := range j.open {
		if o.Number == number {
			j.open = append(j.open[:i:i], j.open[i+1:]...)
			return
		}
	}
}

// Open are the changes that are not settled, the last first.
func (j *Journal) Open() []Open {
	j.mu.Lock()
	defer j.mu.Unlock()
	list := make([]Open, 0, len(j.open))
	for i := len(j.open) - 1; i >= 0; i-- {
		list = append(list, j.open[i])
	}
	return list
}

// Close ends the journal. If everything is settled it leaves nothing behind, as it names accounts.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	j.file = nil
	if len(j.open) > 0 || err != nil {
		return err
	}
	if j.marker != "" {
		err = os.Remove(j.marker)
	}
	return errors.Join(err, os.Remove(j.path))
}

// write appends a line. The caller holds the mutex, or is the only one that has the journal.
func (j *Journal) write(e entry) error {
	line, err := json.Marshal(e)
	if err == nil {
		_, err = j.file.Write(append(line, '\n'))
	}
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		return failure.Setupf("writing the journal of actions, without which nothing is changed: %w", err)
	}
	return nil
}

// syncFolder makes the name of a new file outlive a crash, where the system can.
func syncFolder(path string) {
	if folder, err := os.Open(path); err == nil {
		_ = folder.Sync()
		folder.Close()
	}
}

// Moved tells the mark beside an environment file that the folder of its run has another name now.
func Moved(environment, from, to string) error {
	marker := Marker(environment)
	before, err := filepath.Abs(from)
	if err != nil {
		return err
	}
	after, err := filepath.Abs(to)
	if err != nil {
		return err
	}
	if text, err := os.ReadFile(marker); err != nil || string(text) != before {
		return nil //nolint:nilerr // it is of another run
	}
	return os.WriteFile(marker, []byte(after), 0o600)
}
