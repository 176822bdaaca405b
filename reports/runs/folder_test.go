package runs

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
)

var folderDay = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)

// storedLoad is as much of a load run as a folder, its name and its line in the index need.
func storedLoad(id string, start time.Time, p50 time.Duration) *reports.Load {
	times := reports.Percentiles{Count: 6000, P50: int64(p50), P95: int64(p50) * 17 / 10, P99: int64(p50) * 25 / 10}
	operation := &reports.Operation{Sent: 6000, Right: 6000, Statuses: map[string]int64{"201": 6000}, Response: times}
	return &reports.Load{
		Schema: reports.LoadSchema, Verdict: reports.Pass, Valid: true,
		Run:        reports.Run{ID: id, Kind: "load", Environment: "staging", Start: start, End: start.Add(30 * time.Second)},
		Operations: map[string]*reports.Operation{"refresh": operation}, Total: operation, Seconds: []reports.Second{},
	}
}

func storeRun(t *testing.T, root string, load *reports.Load) string {
	t.Helper()
	folder, err := NewFolder(root, load.Run)
	require.NoError(t, err)
	require.NoError(t, folder.Write(reports.LoadFile, func(w io.Writer) error { return reports.WriteJSON(w, load) }))
	path, err := folder.Finish()
	require.NoError(t, err)
	return path
}

func TestFolderIsWholeOnlyWhenFinished(t *testing.T) {
	root := filepath.Join(t.TempDir(), "out")
	load := storedLoad("4F8A-77", folderDay, 10*time.Millisecond)
	load.Run.Environment = "Staging EU/1"
	folder, err := NewFolder(root, load.Run)
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(root, "20261123T093000Z-staging-eu-1-load-4f8a-77"), folder.Final())
	assert.Equal(t, folder.Final()+".partial", folder.Path())
	require.NoError(t, folder.Write(reports.LoadFile, func(w io.Writer) error { return reports.WriteJSON(w, load) }))
	require.NoError(t, folder.Write("hist/refresh.hlog", func(w io.Writer) error { _, err := io.WriteString(w, "x"); return err }))

	entries, err := List(root)
	require.NoError(t, err)
	require.Len(t, entries, 1, "a run that goes on is listed")
	assert.Equal(t, "the run has not ended, or was killed", entries[0].Partial)

	path, err := folder.Finish()
	require.NoError(t, err)
	assert.Equal(t, folder.Final(), path)
	assert.NoDirExists(t, path+".partial")
	for name, want := range map[string]os.FileMode{path: 0o700, filepath.Join(path, reports.LoadFile): 0o600, filepath.Join(path, "hist"): 0o700, filepath.Join(root, indexFile): 0o600} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		assert.Equal(t, want, info.Mode().Perm(), name)
	}
	stored, err := Read(path)
	require.NoError(t, err)
	assert.Equal(t, load, stored.Load)
	assert.Equal(t, reports.Pass, stored.Verdict())
}

func TestFolderWriteKeepsTheOldFileWhereRenderingFails(t *testing.T) {
	folder, err := NewFolder(t.TempDir(), reports.Run{ID: "a"})
	require.NoError(t, err)
	require.NoError(t, folder.Write("load.json", func(w io.Writer) error { _, err := io.WriteString(w, "whole"); return err }))
	err = folder.Write("load.json", func(w io.Writer) error {
		_, _ = io.WriteString(w, "hal")
		return fmt.Errorf("the disk is full")
	})
	require.EqualError(t, err, "the disk is full")
	data, err := os.ReadFile(filepath.Join(folder.Path(), "load.json"))
	require.NoError(t, err)
	assert.Equal(t, "whole", string(data))
	left, err := os.ReadDir(folder.Path())
	require.NoError(t, err)
	assert.Len(t, left, 2, "the file and the mark of the run")
	_, err = folder.Create("../elsewhere")
	require.EqualError(t, err, `writing "../elsewhere": the name leads out of the run's folder`)
}

func TestTwoWritersNeverClash(t *testing.T) {
	root := t.TempDir()
	const writers = 20
	paths := make([]string, writers)
	var wait sync.WaitGroup
	for i := range writers {
		wait.Go(func() {
			// The same second, environment and even id.
			load := storedLoad("same", folderDay, 10*time.Millisecond)
			folder, err := NewFolder(root, load.Run)
			if !assert.NoError(t, err) {
				return
			}
			assert.NoError(t, folder.Write(reports.LoadFile, func(w io.Writer) error { return reports.WriteJSON(w, load) }))
			paths[i], err = folder.Finish()
			assert.NoError(t, err)
		})
	}
	wait.Wait()
	distinct := map[string]bool{}
	for _, path := range paths {
		distinct[path] = true
		assert.DirExists(t, path)
	}
	assert.Len(t, distinct, writers)
	assert.Len(t, readIndex(root), writers)
}

func TestFolderOfTheUsersChoice(t *testing.T) {
	base := t.TempDir()
	at := filepath.Join(base, "report")
	write := func(id string) {
		t.Helper()
		load := storedLoad(id, folderDay, 10*time.Millisecond)
		folder, err := NewFolderAt(at, load.Run)
		require.NoError(t, err)
		require.NoError(t, folder.Write(reports.LoadFile, func(w io.Writer) error { return reports.WriteJSON(w, load) }))
		path, err := folder.Finish()
		require.NoError(t, err)
		require.Equal(t, at, path)
	}
	write("first")
	write("second")
	stored, err := Read(at)
	require.NoError(t, err)
	assert.Equal(t, "second", stored.Load.Run.ID, "a run takes the place of an earlier one")
	left, err := os.ReadDir(base)
	require.NoError(t, err)
	assert.Len(t, left, 1, "no index is put among the user's own things, and nothing temporary stays")

	_, err = Pin(base, "release-1", "report", folderDay)
	require.NoError(t, err)
	_, err = NewFolderAt(at, reports.Run{ID: "third"})
	require.EqualError(t, err, at+` is pinned as the baseline "release-1": name another folder, or unpin it first`)

	own := filepath.Join(base, "own")
	require.NoError(t, os.Mkdir(own, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(own, "thesis.txt"), nil, 0o644))
	_, err = NewFolderAt(own, reports.Run{ID: "x"})
	require.EqualError(t, err, own+" is not empty and holds no run of agstest, so it is left alone: name another folder")
	_, err = NewFolderAt(filepath.Join(own, "thesis.txt"), reports.Run{ID: "x"})
	require.EqualError(t, err, filepath.Join(own, "thesis.txt")+", where the run should go, is not a folder: name another one")
}

func TestReadStoredSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	_, err := Read(filepath.Join(dir, "none"))
	require.ErrorContains(t, err, "no such file or directory")
	_, err = Read(dir)
	require.EqualError(t, err, "reading the run "+dir+": it holds none of conformance.json, load.json and comparison.json")
	require.NoError(t, os.WriteFile(filepath.Join(dir, reports.LoadFile), []byte("{"), 0o600))
	_, err = Read(dir)
	require.ErrorContains(t, err, filepath.Join(dir, reports.LoadFile))
	require.NoError(t, os.WriteFile(filepath.Join(dir, reports.LoadFile), []byte(`{"schema":"agstest.load/2.0","verdict":"pass"}`), 0o600))
	_, err = Read(dir)
	require.ErrorContains(t, err, "this version reads agstest.load/1.x only")
}

// TestReadStoredFindsWhatAKilledRunLeft: its folder has another name than the one that was asked for.
func TestReadStoredFindsWhatAKilledRunLeft(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	at := func(name string) string { return filepath.Join(root, name) }
	for _, name := range []string{"k9.x.y.partial", "k9b.partial", "other.partial", "k9.old"} {
		require.NoError(t, os.Mkdir(at(name), 0o700))
	}
	_, err := Read(at("k9"))
	require.ErrorContains(t, err, "agstest history list shows the runs")
	folder, err := NewFolderAt(at("k9"), reports.Run{ID: "3f2a", Kind: "load"})
	require.NoError(t, err)
	for _, path := range []string{at("k9"), at("k9") + string(filepath.Separator)} {
		_, err = Read(path)
		require.ErrorContains(t, err, "it goes on, or was killed: what it has so far is in "+folder.Path())
	}
	_, err = Read(at("other"))
	require.ErrorContains(t, err, "what it has so far is in "+at("other.partial"))
	require.NoError(t, os.Mkdir(at("k9"), 0o700))
	_, err = Read(at("k9"))
	require.ErrorIs(t, err, ErrNoRun)
}

func TestReadStoredTakesAFileOfAnyName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "last-night.json")
	file, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, reports.WriteJSON(file, storedLoad("a", folderDay, time.Millisecond)))
	require.NoError(t, file.Close())
	stored, err := Read(path)
	require.NoError(t, err)
	assert.Equal(t, "a", stored.Load.Run.ID)
}

// TestAnotherRunInTheFolderIsListed: a folder that was filled from elsewhere is listed as what it holds now.
func TestAnotherRunInTheFolderIsListed(t *testing.T) {
	root := t.TempDir()
	passed := storedLoad("run0", folderDay, 10*time.Millisecond)
	failed := storedLoad("run1", folderDay.Add(time.Hour), 10*time.Millisecond)
	passed.Run.URL, failed.Run.URL = "https://a.example", "https://a.example"
	folder := storeRun(t, root, passed)
	failed.Verdict, failed.Reason = reports.Fail, "3 of 6,000 answers were wrong"
	file, err := os.Create(filepath.Join(folder, reports.LoadFile))
	require.NoError(t, err)
	require.NoError(t, reports.WriteJSON(file, failed))
	require.NoError(t, file.Close())
	entries, err := List(root)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	assert.Equal(t, "run1", entries[0].ID)
	assert.Equal(t, reports.Fail, entries[0].Verdict)
}

func TestIndexIsOnlyACopy(t *testing.T) {
	root := t.TempDir()
	for i := range 3 {
		storeRun(t, root, storedLoad(fmt.Sprintf("run%d", i), folderDay.Add(time.Duration(i)*time.Hour), 10*time.Millisecond))
	}
	require.NoError(t, os.MkdirAll(filepath.Join(root, "notes"), 0o700)) // not a run
	want, err := List(root)
	require.NoError(t, err)
	require.Len(t, want, 3)
	assert.Equal(t, []string{"run0", "run1", "run2"}, []string{want[0].ID, want[1].ID, want[2].ID})
	assert.Equal(t, reports.EntryFigures{P50: 10e6, P95: 17e6, P99: 25e6, Right: 6000}, want[0].Response["refresh"])
	assert.Equal(t, want[0].Question, want[2].Question)
	assert.NotEmpty(t, want[0].Question)

	index := filepath.Join(root, indexFile)
	whole, err := os.ReadFile(index)
	require.NoError(t, err)
	for name, damage := range map[string]func(){
		"gone":     func() { require.NoError(t, os.Remove(index)) },
		"torn":     func() { require.NoError(t, os.WriteFile(index, whole[:len(whole)-20], 0o600)) },
		"nonsense": func() { require.NoError(t, os.WriteFile(index, []byte("\x00\n{}\n[1]\n"), 0o600)) },
	} {
		t.Run(name, func(t *testing.T) {
			damage()
			got, err := List(root)
			require.NoError(t, err)
			assert.Equal(t, want, got)
			require.NoError(t, RebuildIndex(root))
			rebuilt, err := os.ReadFile(index)
			require.NoError(t, err)
			assert.Equal(t, string(whole), string(rebuilt))
		})
	}
	require.NoError(t, os.RemoveAll(filepath.Join(root, want[1].Folder)))
	got, err := List(root)
	require.NoError(t, err)
	assert.Len(t, got, 2, "what has gone is left out although the index has it")
	none, err := List(filepath.Join(root, "nowhere"))
	require.NoError(t, err)
	assert.Empty(t, none)
}

func TestARunThatWasKilledEarlyIsListedAndPruned(t *testing.T) {
	root := t.TempDir()
	folder, err := NewFolder(root, reports.Run{ID: "dead", Environment: "staging", Kind: "load", Start: folderDay})
	require.NoError(t, err)
	require.NoError(t, os.Chtimes(filepath.Join(folder.Path(), markPrefix+"dead"), folderDay, folderDay))
	require.NoError(t, os.Chtimes(folder.Path(), folderDay, folderDay))
	entries, err := List(root)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	assert.Equal(t, folderDay, entries[0].Start)
	assert.Contains(t, entries[0].Partial, "agstest report")
	gone, _, err := Prune(root, PruneOptions{Keep: 5, Now: folderDay.Add(time.Hour)})
	require.NoError(t, err)
	assert.Empty(t, gone, "somebody may be writing it")
	gone, _, err = Prune(root, PruneOptions{Keep: 5, Now: folderDay.Add(48 * time.Hour)})
	require.NoError(t, err)
	assert.Len(t, gone, 1)
	assert.NoDirExists(t, folder.Path())
}

func TestBaselines(t *testing.T) {
	root := t.TempDir()
	first := storeRun(t, root, storedLoad("aaa111", folderDay, 10*time.Millisecond))
	second := storeRun(t, root, storedLoad("aaa222", folderDay.Add(time.Hour), 10*time.Millisecond))

	_, err := Pin(root, "release-1", "aaa1", folderDay)
	require.NoError(t, err)
	_, err = Pin(root, "release-2", filepath.Base(second), folderDay)
	require.NoError(t, err)
	entry, err := Find(root, "release-1")
	require.NoError(t, err)
	assert.Equal(t, filepath.Base(first), entry.Folder)
	assert.Equal(t, []string{"release-1"}, entry.Pins)
	_, err = Pin(root, "release-1", second, folderDay)
	require.NoError(t, err)
	entry, err = Find(root, second)
	require.NoError(t, err)
	assert.Equal(t, []string{"release-1", "release-2"}, entry.Pins, "a name moves to the new run")

	_, err = Find(root, "aaa")
	require.ErrorContains(t, err, "2 runs have an id that begins so; give more of it")
	_, err = Find(root, "zzz")
	require.ErrorContains(t, err, `looking for the run "zzz"`)
	_, err = Pin(root, "Release 1", "aaa1", folderDay)
	require.EqualError(t, err, `pinning a run as "Release 1": a name has small letters, digits and single dashes only, such as "release-1"`)
	require.EqualError(t, Unpin(root, "release-9"), `unpinning "release-9": no run in `+root+` has that name; pinned are: release-1, release-2`)
	require.NoError(t, Unpin(root, "release-1"))
	baselines, err := readBaselines(root)
	require.NoError(t, err)
	assert.Equal(t, []string{"release-2"}, slices.Sorted(maps.Keys(baselines)))

	require.NoError(t, os.WriteFile(filepath.Join(root, baselinesFile), []byte("{"), 0o600))
	_, err = List(root)
	require.ErrorContains(t, err, "mend the file, or delete it and pin again")
}

func TestPinsOfManyProcessesAllArrive(t *testing.T) {
	root := t.TempDir()
	storeRun(t, root, storedLoad("aaa", folderDay, 10*time.Millisecond))
	var wait sync.WaitGroup
	for i := range 10 {
		wait.Go(func() {
			_, err := Pin(root, fmt.Sprintf("name-%d", i), "aaa", folderDay)
			assert.NoError(t, err)
		})
	}
	wait.Wait()
	baselines, err := readBaselines(root)
	require.NoError(t, err)
	assert.Len(t, baselines, 10)
	assert.NoFileExists(t, filepath.Join(root, baselinesFile+".lock"))
}

func TestALockLeftByADeadProcessIsTakenOver(t *testing.T) {
	root := t.TempDir()
	storeRun(t, root, storedLoad("aaa", folderDay, 10*time.Millisecond))
	left := filepath.Join(root, baselinesFile+".lock")
	require.NoError(t, os.WriteFile(left, nil, 0o600))
	long := time.Now().Add(-time.Minute)
	require.NoError(t, os.Chtimes(left, long, long))
	_, err := Pin(root, "one", "aaa", folderDay)
	require.NoError(t, err)
}

func TestPrune(t *testing.T) {
	now := folderDay.Add(100 * 24 * time.Hour)
	fill := func(t *testing.T) string {
		root := t.TempDir()
		for i := range 6 {
			storeRun(t, root, storedLoad(fmt.Sprintf("run%d", i), now.Add(-time.Duration(60-10*i)*24*time.Hour), 10*time.Millisecond))
		}
		other := storedLoad("other", now.Add(-90*24*time.Hour), 10*time.Millisecond)
		other.Run.Environment = "production"
		storeRun(t, root, other)
		_, err := Pin(root, "release", "run0", now)
		require.NoError(t, err)
		// Two runs that never ended: one of an hour ago, one of long ago.
		for id, start := range map[string]time.Time{"young": now.Add(-time.Hour), "stale": now.Add(-80 * 24 * time.Hour)} {
			load := storedLoad(id, start, time.Millisecond)
			folder, err := NewFolder(root, load.Run)
			require.NoError(t, err)
			require.NoError(t, folder.Write(reports.LoadFile, func(w io.Writer) error { return reports.WriteJSON(w, load) }))
			for _, path := range []string{folder.Path(), filepath.Join(folder.Path(), reports.LoadFile)} {
				require.NoError(t, os.Chtimes(path, start, start))
			}
		}
		return root
	}
	for _, test := range []struct {
		name    string
		options PruneOptions
		gone    []string
	}{
		{"the newest two stay, pinned ones too", PruneOptions{Keep: 2}, []string{"run1", "run2", "run3", "stale"}},
		{"older than 35 days", PruneOptions{OlderThan: 35 * 24 * time.Hour}, []string{"other", "run1", "run2", "stale"}},
		{"both", PruneOptions{Keep: 4, OlderThan: 35 * 24 * time.Hour}, []string{"run1", "stale"}},
		{"nothing is old enough", PruneOptions{OlderThan: 300 * 24 * time.Hour}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := fill(t)
			before, err := List(root)
			require.NoError(t, err)
			dry := test.options
			dry.Now, dry.DryRun = now, true
			told, _, err := Prune(root, dry)
			require.NoError(t, err)
			after, err := List(root)
			require.NoError(t, err)
			assert.Equal(t, before, after, "a dry run deletes nothing")

			test.options.Now = now
			gone, _, err := Prune(root, test.options)
			require.NoError(t, err)
			assert.Equal(t, told, gone)
			var ids []string
			for _, entry := range gone {
				ids = append(ids, entry.ID)
				assert.NoDirExists(t, filepath.Join(root, entry.Folder))
			}
			assert.ElementsMatch(t, test.gone, ids)
			after, err = List(root)
			require.NoError(t, err)
			assert.Len(t, after, len(before)-len(gone))
			folders, err := os.ReadDir(root)
			require.NoError(t, err)
			for _, folder := range folders {
				assert.False(t, strings.HasPrefix(folder.Name(), ".pruned"), folder.Name())
			}
		})
	}
	_, _, err := Prune(t.TempDir(), PruneOptions{Now: now})
	require.EqualError(t, err, "pruning runs: say how many to keep, or how old they must be")
}

// A run whose file is damaged is not passed over in silence, as a folder is that holds no run.
func TestRunsThatCannotBeReadAreNamed(t *testing.T) {
	root := t.TempDir()
	for name, file := range map[string]string{"damaged": reports.LoadFile, "no-run": "notes.txt", ".hidden": reports.LoadFile} {
		require.NoError(t, os.Mkdir(filepath.Join(root, name), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(root, name, file), []byte("{broken"), 0o600))
	}
	entries, err := List(root)
	require.NoError(t, err)
	assert.Empty(t, entries)
	unread := Unread(root, entries)
	require.Len(t, unread, 1)
	assert.ErrorContains(t, unread[0], filepath.Join("damaged", reports.LoadFile))
}

func TestAFileTellsItsKindWhateverItsName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stored.json")
	read := func(text string) (Stored, error) {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return Read(path)
	}
	stored, err := read(`{"schema":"agstest.load/1.0","verdict":"pass"}`)
	require.NoError(t, err)
	assert.NotNil(t, stored.Load)
	stored, err = read(`{"verdict":"pass","operations":{"refresh":{"schema":"agstest.conformance/1.0"}},"schema":"agstest.load/1.0"}`)
	require.NoError(t, err)
	assert.NotNil(t, stored.Load, "its schema stands last")
	_, err = read(`{"schema":"agstest.load/1.0","verdict":"pa`)
	assert.ErrorContains(t, err, "not JSON as agstest writes it", "it ends too soon")
	for _, text := range []string{``, `[]`, `{"verdict":"pass"}`, `{"schema":7}`, `{"verdict":]}`} {
		_, err = read(text)
		assert.Error(t, err, text)
	}
}
