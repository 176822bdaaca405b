// Package runs keeps runs in a folder. Each run has a folder of its own (Folder), which is whole only when it is
// finished. An index lists the runs (List, Find, RebuildIndex) and may be deleted at any time. Names are pinned to runs
// that others are compared with (Pin, Baselines). Prune deletes old runs and nothing else. Read reads a stored run.
// Several processes may work on one folder at a time: a run claims its name, and a process that writes the pins holds a
// lock, which opens if the process is killed.
package runs

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"agstest/internal/userfile"
	"agstest/internal/wholefile"
	"agstest/reports"
)

// partialSuffix ends the name of a folder whose run has not ended, or was killed. Such a folder can be read like any
// other.
const partialSuffix = ".partial"

// Folder is a run's folder while the run goes on. Files are for their owner alone, and the folder gets its final name
// only when it is whole, so that nobody takes half a run for a run. Its methods may be called by several goroutines as
// long as each writes its own file.
type Folder struct {
	path   string // where files go now
	final  string
	chosen bool     // the final name was chosen by the user, so what an earlier run left there is replaced
	held   *os.File // of a chosen one: tells others that this run is under way; nil: not known here
}

// NewFolder makes the folder of a run below root: <start in UTC>-<environment>-<kind>-<id>. The name is taken at once;
// two runs never share a folder, whatever their ids. Root is made where it is missing.
func NewFolder(root string, run reports.Run) (*Folder, error) {
	name := strings.Join([]string{run.Start.UTC().Format("20060102T150405Z"),
		reports.Slug(cmp.Or(run.Environment, "unnamed")), reports.Slug(cmp.Or(run.Kind, "run")), short(run.ID)}, "-")
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder %s for runs: %w", root, userfile.WithoutPath(err))
	}
	for n := 1; n <= 1000; n++ {
		final := filepath.Join(root, name)
		if n > 1 {
			final = fmt.Sprintf("%s-%d", final, n)
		}
		if _, err := os.Lstat(final); err == nil {
			continue
		}
		err := os.Mkdir(final+partialSuffix, 0o700)
		if err == nil {
			// Only the holder of the temporary name may take the final one; another run may have done so before this
			// one had it.
			if _, taken := os.Lstat(final); taken == nil {
				_ = os.Remove(final + partialSuffix)
				continue
			}
			return &Folder{path: final + partialSuffix, final: final}, putMark(final+partialSuffix, run)
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("making a folder for the run in %s: %w", root, userfile.WithoutPath(err))
		}
	}
	return nil, fmt.Errorf("making a folder for the run in %s: the name %s is taken a thousand times over", root, name)
}

// NewFolderAt makes the folder of a run whose final name the user chose. When this run ends, it replaces an earlier run
// there. NewFolderAt refuses, before the run rather than after it, a folder that holds anything else, a run that is
// pinned as a baseline, and one that another run is on its way to.
func NewFolderAt(path string, run reports.Run) (*Folder, error) {
	path = filepath.Clean(path)
	if err := replaceable(path); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making the folder %s for the run: %w", filepath.Dir(path), userfile.WithoutPath(err))
	}
	f := &Folder{final: path, chosen: true}
	if err := f.claim(func() (err error) { f.path, err = makeTemporary(path, short(run.ID)); return err }); err != nil {
		return nil, err
	}
	return f, putMark(f.path, run)
}

// Replaced returns the earlier run that a run with its folder at path would replace: its entry and the number of files
// in its folder; nil if there is none. It refuses what NewFolderAt refuses, and changes nothing.
func Replaced(path string) (earlier *reports.Entry, files int, err error) {
	path = filepath.Clean(path)
	if err := replaceable(path); err != nil {
		return nil, 0, err
	}
	err = filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files++
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) || err == nil && files == 0 {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("looking into %s, where the run should go: %w", path, userfile.WithoutPath(err))
	}
	entry := reports.Entry{Folder: filepath.Base(path)} // a run of ours that cannot be read is one with its mark alone
	if stored, err := Read(path); err == nil {
		entry = listed(entry.Folder, stored)
	}
	return &entry, files, nil
}

func makeTemporary(path, id string) (string, error) {
	for n := 1; n <= 1000; n++ {
		temporary := path + "." + id + partialSuffix
		if n > 1 {
			temporary = fmt.Sprintf("%s.%s-%d%s", path, id, n, partialSuffix)
		}
		err := os.Mkdir(temporary, 0o700)
		if err == nil {
			return temporary, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", fmt.Errorf("making the folder %s for the run: %w", temporary, userfile.WithoutPath(err))
		}
	}
	return "", fmt.Errorf("making a folder for the run beside %s: the temporary name is taken a thousand times over",
		path)
}

// replaceable returns an error unless a run may replace the folder at path.
func replaceable(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking at %s, where the run should go: %w", path, userfile.WithoutPath(err))
	}
	if !info.IsDir() {
		return fmt.Errorf("%s, where the run should go, is not a folder: name another one", path)
	}
	baselines, err := readBaselines(filepath.Dir(path))
	if err != nil {
		return err
	}
	for name, baseline := range baselines {
		if baseline.Folder == filepath.Base(path) {
			return fmt.Errorf("%s is pinned as the baseline %q: name another folder, or unpin it first", path, name)
		}
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("looking into %s, where the run should go: %w", path, userfile.WithoutPath(err))
	}
	if len(entries) == 0 || hasMark(path) {
		return nil
	}
	stored, err := Read(path)
	if err != nil || stored.Run().ID == "" {
		return fmt.Errorf("%s is not empty and holds no run of agstest, so it is left alone: name another folder", path)
	}
	return nil
}

// Path is the folder of the files at the moment.
func (f *Folder) Path() string { return f.path }

// Final is their folder once the run is whole.
func (f *Folder) Final() string { return f.final }

// Create opens a new file of the folder for writing; name may have folders in it. The caller closes it.
func (f *Folder) Create(name string) (*os.File, error) {
	path, err := f.placeOf(name)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", path, userfile.WithoutPath(err))
	}
	return file, nil
}

// Write puts a rendered file into the folder. A reader sees the old file or the whole new one, also if the process is
// killed, so a file that is written again and again while the run goes on is always readable.
func (f *Folder) Write(name string, render func(io.Writer) error) error {
	path, err := f.placeOf(name)
	if err != nil {
		return err
	}
	var rendering error
	err = wholefile.Write(path, 0o600, func(file *os.File) error {
		rendering = render(file)
		return rendering
	})
	if err != nil && rendering == nil {
		err = fmt.Errorf("writing %s: %w", path, userfile.WithoutPath(err))
	}
	return err
}

// placeOf is where a file of the folder goes; the folders in its name are made.
func (f *Folder) placeOf(name string) (string, error) {
	if !filepath.IsLocal(name) {
		return "", fmt.Errorf("writing %q: the name leads out of the run's folder", name)
	}
	path := filepath.Join(f.path, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("writing %s: %w", path, userfile.WithoutPath(err))
	}
	return path, nil
}

// Finish gives the folder its final name and adds the run to the index of the folder above. It returns the final path;
// if it fails, the files stay at Path.
func (f *Folder) Finish() (string, error) {
	if f.chosen {
		err := f.replace()
		if f.held != nil {
			f.held.Close()
		}
		if err != nil {
			return f.path, err
		}
	} else if err := os.Rename(f.path, f.final); err != nil {
		return f.path, fmt.Errorf("the run is whole but stays at %s: %w", f.path, userfile.WithoutPath(err))
	}
	f.path = f.final
	if f.chosen {
		// A folder that the user chose lies among other things; an index is kept there only where one is kept already.
		if _, err := os.Stat(filepath.Join(filepath.Dir(f.final), indexFile)); err != nil {
			return f.final, nil
		}
	}
	if stored, err := Read(f.final); err == nil {
		if err := appendToIndex(filepath.Dir(f.final), listed(filepath.Base(f.final), stored)); err != nil {
			return f.final, err
		}
	}
	return f.final, nil
}

// replace moves what an earlier run left away and the new folder into its place. The old one goes only after the new
// one is there.
func (f *Folder) replace() error {
	if err := replaceable(f.final); err != nil {
		return fmt.Errorf("the run is whole but stays at %s: %w", f.path, err)
	}
	old := strings.TrimSuffix(f.path, partialSuffix) + ".old"
	moved := os.Rename(f.final, old)
	if moved != nil && !errors.Is(moved, fs.ErrNotExist) {
		return fmt.Errorf("the run is whole but stays at %s: %w", f.path, userfile.WithoutPath(moved))
	}
	if err := os.Rename(f.path, f.final); err != nil {
		if moved == nil {
			_ = os.Rename(old, f.final)
		}
		return fmt.Errorf("the run is whole but stays at %s: %w", f.path, userfile.WithoutPath(err))
	}
	if moved == nil {
		if root, err := os.OpenRoot(filepath.Dir(old)); err == nil { // links in it lead nowhere
			_ = root.RemoveAll(filepath.Base(old))
			root.Close()
		}
	}
	return nil
}

// short makes a run's id fit for a name.
func short(id string) string {
	id = reports.Slug(cmp.Or(id, "0"))
	if len(id) > 12 {
		id = strings.TrimSuffix(id[:12], "-")
	}
	return id
}
