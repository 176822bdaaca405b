package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"agstest/reports"
	"agstest/reports/runs"
)

// smallDisk mounts a file system in memory that has so much space left.
func smallDisk(t *testing.T, left int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "disk")
	require.NoError(t, os.Mkdir(dir, 0o700))
	const size = 4 << 20
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, fmt.Sprintf("size=%d", size)); err != nil {
		t.Skipf("SKIPPED: a small disk cannot be mounted here, which takes root: %v", err)
	}
	t.Cleanup(func() { assert.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	require.NoError(t, os.WriteFile(filepath.Join(dir, "filler"), make([]byte, size-left), 0o600))
	return dir
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	smallDisk(t, 4096)
	file := mockFile(t)
	kept := t.TempDir()
	var making sync.WaitGroup
	for _, args := range [][]string{
		{"load", "--shard", "1/2", "--out", filepath.Join(kept, "shard-1")}, {"load", "--shard", "2/2", "--out", filepath.Join(kept, "shard-2")},
	} {
		making.Go(func() {
			code, _, stderr := call(t, nil, append(args, "--env", file, "--workload", "refresh", "--rate", "60/s", "--duration", "1s", "--seed", "7", "--clients", "20", "--max-lag", "5s")...)
			assert.Contains(t, []int{exitPass, exitInvalid}, code, stderr)
		})
	}
	making.Wait()

	const nothing = "" // what stdout shows where nothing was run
	type full struct {
		args  []string
		left  int
		shows string
		disk  string
		child *child
	}
	cases := []full{
		{shortConform, 0, nothing, "", nil},
		{shortConform, 4 << 10, "Conformance: PASS", "", nil},
		{shortConform, 40 << 10, "Conformance: PASS", "", nil},
		{shortConform, 300 << 10, "Conformance: PASS", "", nil},
		{[]string{"load", "--env", file, "--workload", "refresh", "--rate", "40/s", "--duration", "1s", "--max-lag", "5s"}, 0, nothing, "", nil},
		{[]string{"load", "--env", file, "--workload", "refresh", "--rate", "40/s", "--duration", "1s", "--max-lag", "5s"}, 4 << 10, "Load: ", "", nil},
		{[]string{"load", "--env", file, "--workload", "refresh", "--rate", "40/s", "--duration", "1s", "--max-lag", "5s"}, 32 << 10, "Load: ", "", nil},
		{[]string{"load", "--env", file, "--workload", "refresh", "--rate", "40/s", "--duration", "1s", "--max-lag", "5s", "--raw"}, 8 << 10, "Load: ", "", nil},
		{[]string{"ab", "--aa", "--env", file, "--workload", "refresh", "--rate", "50/s", "--pairs", "10", "--block", "200ms", "--clients", "20"}, 0, nothing, "", nil},
		{[]string{"ab", "--aa", "--env", file, "--workload", "refresh", "--rate", "50/s", "--pairs", "10", "--block", "200ms", "--clients", "20"}, 8 << 10, "Comparison: ", "", nil},
		{[]string{"merge", filepath.Join(kept, "shard-1"), filepath.Join(kept, "shard-2")}, 0, "Load: ", "", nil},
		{[]string{"merge", filepath.Join(kept, "shard-1"), filepath.Join(kept, "shard-2")}, 12 << 10, "Load: ", "", nil},
	}
	for i := range cases { // all at the same time: they wait most of the time
		cases[i].disk = smallDisk(t, cases[i].left)
		cases[i].child = newChild(t, t.TempDir(), append(cases[i].args, "--out", filepath.Join(cases[i].disk, "run"))...).start()
	}
	for _, test := range cases {
		t.Run(fmt.Sprintf("%s with %d kB left", test.args[0], test.left>>10), func(t *testing.T) {
			dir, c := test.disk, test.child
			code := c.code()
			saysDiskIsFull(t, c)
			if test.shows == nothing {
				assert.Equal(t, exitUsage, code, "nothing was sent")
				assert.Empty(t, c.stdout.String())
				assert.NotContains(t, c.stderr.String(), "written to")
				assert.NotContains(t, c.stderr.String(), "load: mock at", "nothing is sent")
				assert.Empty(t, below(t, dir), "and nothing is left")
			} else {
				assert.Equal(t, exitOutput, code, "something was found")
				assert.Regexp(t, `(not written: .*; written to|could be written to|record of the run|finished) `, c.stderr.String())
				assert.Contains(t, c.stdout.String(), test.shows, "the figures are not lost with the disk")
				reported := regexp.MustCompile(`\nReport: (.*)\nVerdict: .*; exit code 6, since not all results were written\n$`).FindStringSubmatch(c.stdout.String())
				require.Len(t, reported, 2, c.stdout.String())
				if folder, missing := strings.CutPrefix(reported[1], "not written; what could be is in "); missing {
					assert.DirExists(t, folder)
				} else {
					assert.FileExists(t, reported[1])
				}
				assert.NotContains(t, c.stderr.String(), ".partial: ", "the folder has its name")
			}
			for _, folder := range below(t, dir) {
				assert.NoError(t, halfFiles(folder))
				if stored, err := runs.Read(folder); err == nil && stored.Conformance != nil && stored.Conformance.Run.Partial != "" {
					assert.Equal(t, reports.Error, stored.Verdict())
				}
			}
		})
	}
	t.Run("report", func(t *testing.T) {
		for _, left := range []int{0, 4 << 10, 40 << 10} {
			dir := smallDisk(t, left)
			c := newChild(t, t.TempDir(), "report", filepath.Join(kept, "shard-1"), "--out", filepath.Join(dir, "run")).start()
			assert.Equal(t, exitOutput, c.code())
			saysDiskIsFull(t, c)
			for _, folder := range below(t, dir) {
				assert.NoError(t, halfFiles(folder))
			}
		}
	})
}

func saysDiskIsFull(t *testing.T, c *child) {
	t.Helper()
	assert.Contains(t, c.stderr.String(), "no space left on device")
	assert.NotContains(t, c.stderr.String(), "this is a fault of agstest itself")
	assert.Len(t, sentences(c.stderr.String()), 1)
}

// below lists the folders in dir. No file of them is a temporary one.
func below(t *testing.T, dir string) (folders []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		folders = append(folders, filepath.Join(dir, entry.Name()))
		files, err := os.ReadDir(folders[len(folders)-1])
		require.NoError(t, err)
		for _, file := range files {
			if ok, _ := filepath.Match(".agstest-run-*", file.Name()); !ok { // the mark of a run
				assert.NotRegexp(t, `^\.|\.new$`, file.Name(), "a temporary file stays")
			}
		}
	}
	return folders
}
