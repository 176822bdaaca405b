package site

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"sync"

	"agstest/internal/userfile"
	"agstest/reports/runs"
)

// markFile lies in the folder of a site and lists its files. A folder without it is not touched, and files that it does
// not list are neither replaced nor deleted.
const markFile = ".agstest-site"

// markSchema names the version of the form of the mark.
const markSchema = "agstest.site/1.0"

type mark struct {
	Schema string             `json:"schema"`
	Files  map[string]written `json:"files"`
	// Building: the site was being written when this was, and may hold pages that Files does not list.
	Building bool `json:"building,omitempty"`
}

// written is one file of a site.
type written struct {
	Sum  string `json:"sum"` // SHA-256 of its content, shortened
	Size int64  `json:"size"`
	// Key stands for everything that the file was made from; if it is the same, the file need not be made again. Empty:
	// always made.
	Key string `json:"key,omitempty"`
}

// target is the folder that a site is written to. Its methods may be called by several goroutines.
type target struct {
	root    *os.Root
	release func() // of the hold on the folder; nil: none
	dryRun  bool
	before  map[string]written
	broken  bool // an earlier build did not end

	mutex   sync.Mutex
	now     map[string]written
	changed []string
	folders map[string]bool
}

// openTarget opens the folder of a site, or makes a missing one. It refuses a folder that holds anything but no mark.
func openTarget(folder string, dryRun bool) (opened *target, failed error) {
	t := &target{dryRun: dryRun, before: map[string]written{}, now: map[string]written{}, folders: map[string]bool{}}
	entries, err := os.ReadDir(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if dryRun {
			return t, nil
		}
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return nil, fmt.Errorf("making the folder %s of the site: %w", folder, userfile.WithoutPath(err))
		}
	case err != nil:
		return nil, fmt.Errorf("looking into the folder %s of the site: %w", folder, userfile.WithoutPath(err))
	}
	if !dryRun {
		release, free := runs.Hold(folder)
		if !free {
			return nil, fmt.Errorf(
				"another process builds the site in %s: wait until it has ended, or name another folder", folder)
		}
		t.release = release
		defer func() {
			if failed != nil {
				t.close()
			}
		}()
		if entries, err = os.ReadDir(folder); err != nil { // what another one has just written
			return nil, fmt.Errorf("looking into the folder %s of the site: %w", folder, userfile.WithoutPath(err))
		}
	}
	marked := slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		return e.Name() == markFile &&
			e.Type().IsRegular()
	})
	if len(entries) > 0 && !marked {
		return nil, fmt.Errorf(
			"%s is not empty and holds no site of agstest, so it is left alone: name another folder, or empty it",
			folder)
	}
	if t.root, err = os.OpenRoot(folder); err != nil {
		return nil, fmt.Errorf("opening the folder %s of the site: %w", folder, userfile.WithoutPath(err))
	}
	if marked {
		data, err := t.read(markFile, maxMark)
		var m mark
		if err == nil {
			err = json.Unmarshal(data, &m)
		}
		if err != nil || m.Schema != markSchema {
			t.close()
			return nil, fmt.Errorf(
				"%s/%s is not the mark of a site as this version writes it: build the site into another folder", folder,
				markFile)
		}
		t.before, t.broken = m.Files, m.Building
	}
	if !dryRun {
		if err := t.writeMark(mark{markSchema, t.before, true}); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *target) writeMark(m mark) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(m); err != nil {
		return fmt.Errorf("writing the mark of the site: %w", err)
	}
	return t.write(markFile, text.Bytes())
}

const maxMark = 64 << 20

func (t *target) close() {
	if t.root != nil {
		t.root.Close()
	}
	if t.release != nil {
		t.release()
		t.release = nil
	}
}

// read reads a plain file of the site.
func (t *target) read(name string, most int64) ([]byte, error) {
	if t.root == nil {
		return nil, fs.ErrNotExist
	}
	file, err := openPlain(t.root, name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(data)) > most {
		err = errors.New("it is too large")
	}
	return data, err
}

// current tells whether a file is there as it was written, from the same source.
func (t *target) current(name, key string) bool {
	before, known := t.before[name]
	return known && key != "" && before.Key == key && t.unchanged(name, before)
}

func (t *target) unchanged(name string, before written) bool {
	if t.root == nil {
		return false
	}
	info, err := t.root.Lstat(name)
	return err == nil && info.Mode().IsRegular() && info.Size() == before.Size
}

// keep takes a file that is current over into the new site.
func (t *target) keep(name string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.now[name] = t.before[name]
}

// put writes a file, unless it is there with the same content.
func (t *target) put(name, key string, content []byte) error {
	sum := sha256.Sum256(content)
	w := written{Sum: hex.EncodeToString(sum[:12]), Size: int64(len(content)), Key: key}
	before, known := t.before[name]
	same := known && before.Sum == w.Sum && t.unchanged(name, before)
	t.mutex.Lock()
	t.now[name] = w
	if !same {
		t.changed = append(t.changed, name)
	}
	t.mutex.Unlock()
	if same || t.dryRun {
		return nil
	}
	if !known {
		if _, err := t.root.Lstat(name); err == nil && !t.ours(name) {
			return fmt.Errorf("%s lies where the site needs a file of this name, and is not of the site: move it away",
				name)
		}
	}
	return t.write(name, content)
}

// ours tells that a file which the mark does not list was written by a build that did not end.
func (t *target) ours(name string) bool {
	if !t.broken {
		return false
	}
	data, err := t.read(name, maxMark)
	return err == nil && (path.Ext(name) != ".html" || bytes.Contains(data[:min(len(data), 2048)],
		[]byte(`<meta name="generator" content="agstest">`)))
}

// write puts a file in place in one step. Pages are for everybody who may see the site, as web servers need them.
func (t *target) write(name string, content []byte) error {
	if err := t.folder(path.Dir(name)); err != nil {
		return err
	}
	file, err := t.root.OpenFile(name+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err == nil {
		_, err = io.Copy(file, bytes.NewReader(content))
		if closing := file.Close(); err == nil {
			err = closing
		}
	}
	if err == nil {
		err = t.root.Rename(name+".new", name)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, userfile.WithoutPath(err))
	}
	return nil
}

func (t *target) folder(name string) error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.folders[name] {
		return nil
	}
	if err := t.root.MkdirAll(name, 0o755); err != nil {
		return fmt.Errorf("making the folder %s: %w", name, userfile.WithoutPath(err))
	}
	t.folders[name] = true
	return nil
}

// finish removes files that no longer belong to the site, and writes the mark. Files that somebody has changed since
// stay; left names them.
func (t *target) finish() (removed, left []string, err error) {
	for name, before := range t.before {
		if _, still := t.now[name]; still || !fs.ValidPath(name) || name == markFile {
			continue
		}
		data, err := t.read(name, before.Size)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		sum := sha256.Sum256(data)
		if err != nil || hex.EncodeToString(sum[:12]) != before.Sum {
			left = append(left, name)
			continue
		}
		removed = append(removed, name)
	}
	slices.Sort(removed)
	slices.Sort(left)
	slices.Sort(t.changed)
	if t.dryRun {
		return removed, left, nil
	}
	for _, name := range removed {
		if err := t.root.Remove(name); err != nil {
			return removed, left, fmt.Errorf("removing %s: %w", name, userfile.WithoutPath(err))
		}
		_ = t.root.Remove(path.Dir(name)) // where it is empty now
	}
	return removed, left, t.writeMark(mark{Schema: markSchema, Files: t.now})
}
