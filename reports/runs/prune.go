package runs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"agstest/internal/userfile"
	"agstest/reports"
)

// PruneOptions say which runs may go. At least one of Keep and OlderThan is needed; with both, a run goes only if both
// allow it.
type PruneOptions struct {
	Keep      int           // the newest ones of each environment and kind that stay
	OlderThan time.Duration // runs that started later stay
	Now       time.Time
	DryRun    bool // tell what would go, and leave it
}

// Prune deletes old runs below root and returns those that went, or would go. It keeps pinned runs, and runs that have
// not ended and were written to less than a day ago. It also keeps folders that are not provably runs (ours), whatever
// the index says of them: left lists their names and the reasons. It touches nothing outside root, wherever links lead.
func Prune(root string, options PruneOptions) (gone []reports.Entry, left []string, err error) {
	if options.Keep < 0 || options.OlderThan < 0 || options.Keep == 0 && options.OlderThan == 0 {
		return nil, nil, errors.New("pruning runs: say how many to keep, or how old they must be")
	}
	entries, err := List(root)
	if err != nil {
		return nil, nil, err
	}
	below, err := os.OpenRoot(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("pruning %s: %w", root, userfile.WithoutPath(err))
	}
	defer below.Close()
	newer := map[[2]string]int{}
	for i := len(entries) - 1; i >= 0; i-- {
		entry := entries[i]
		unfinished := strings.HasSuffix(entry.Folder, partialSuffix)
		group := [2]string{entry.Environment, entry.Kind}
		if !unfinished {
			newer[group]++
		}
		age := options.Now.Sub(entry.Start)
		switch {
		case len(entry.Pins) > 0,
			unfinished && options.Now.Sub(lastWritten(filepath.Join(root, entry.Folder))) < 24*time.Hour,
			!unfinished && options.Keep > 0 && newer[group] <= options.Keep,
			options.OlderThan > 0 && age <= options.OlderThan:
			continue
		}
		if err := ours(below, entry.Folder); err != nil {
			left = append(left, fmt.Sprintf("%s stays: %v", entry.Folder, err))
			continue
		}
		gone = append(gone, entry)
	}
	if options.DryRun || len(gone) == 0 {
		return gone, left, nil
	}
	if gone, err = removeAll(below, root, gone); err != nil {
		return gone, left, err
	}
	return gone, left, RebuildIndex(root)
}

// removeAll deletes runs below root and returns those that went.
func removeAll(below *os.Root, root string, runs []reports.Entry) (gone []reports.Entry, err error) {
	for i, entry := range runs {
		// The name goes first, so that nobody reads half a run while its files are deleted.
		doomed := ".pruned-" + entry.Folder
		err := below.Rename(entry.Folder, doomed)
		if err == nil {
			err = below.RemoveAll(doomed)
		}
		if err != nil {
			return runs[:i], fmt.Errorf("pruning %s: %w", filepath.Join(root, entry.Folder), userfile.WithoutPath(err))
		}
	}
	return runs, nil
}

// lastWritten is when anything in a folder was last written.
func lastWritten(folder string) time.Time {
	var last time.Time
	_ = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil // what cannot be read was not written just now
		}
		if info, err := entry.Info(); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
		return nil
	})
	return last
}
