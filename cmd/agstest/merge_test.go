package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/load/unique"
	"agstest/mock"
	"agstest/reports"
)

// Shards of which one is missing are no whole run: with --strict or without, the exit code says so, and so does all
// that is written.
func TestMergeOfAPartIsInconclusive(t *testing.T) {
	t.Parallel()
	running, err := startMock(mock.New(mock.Config{}), mockAddresses{service: "127.0.0.1:0", control: "127.0.0.1:0", tls: true, caFile: filepath.Join(t.TempDir(), "ca.pem")})
	require.NoError(t, err)
	defer running.stop(time.Second)
	dir := t.TempDir()
	env := filepath.Join(dir, "mock.yaml")
	require.NoError(t, os.WriteFile(env, running.environment(), 0o600))
	arguments := []string{"--env", env, "--workload", "refresh", "--rate", "60/s", "--duration", "300ms", "--seed", "7", "--max-lag", "1m", "-q"}
	var folders []string
	for lead := 2 * time.Second; ; lead *= 4 {
		start := time.Now().Add(lead).Format(time.RFC3339Nano)
		var shards sync.WaitGroup
		var codes [3]int
		var errs [3]string
		folders = nil
		for i := range 3 {
			folder := filepath.Join(dir, fmt.Sprintf("%d in %s", i+1, lead))
			folders = append(folders, folder)
			shards.Go(func() {
				codes[i], _, errs[i] = call(t, nil, append([]string{"load", "--shard", fmt.Sprintf("%d/3", i+1), "--start-at", start, "--out", folder}, arguments...)...)
			})
		}
		shards.Wait()
		if lead < time.Minute && slices.ContainsFunc(errs[:], func(text string) bool { return strings.Contains(text, " too late; start it with a later --start-at") }) {
			continue // this machine was not ready by then
		}
		for i, folder := range folders {
			assert.Contains(t, []int{exitPass, exitInvalid}, codes[i], errs[i]) // a busy machine is no fault of the run
			assert.FileExists(t, filepath.Join(folder, unique.File))
		}
		break
	}
	merge := func(out string, more ...string) (int, string, string) {
		return call(t, nil, append(append([]string{"merge", "--out", filepath.Join(dir, out)}, more...), folders...)...)
	}
	code, stdout, stderr := merge("whole")
	assert.Contains(t, []int{exitPass, exitInvalid}, code, stdout+stderr)
	assert.Contains(t, stdout, "uniqueness was checked over 3 of 3 shards")
	assert.Contains(t, stdout, "shards       3 of 3 complete")

	folders = folders[:2]
	code, stdout, stderr = merge("part")
	assert.Contains(t, []int{exitInconclusive, exitInvalid}, code, stderr)
	const literal = "partial: 2 of 3 shards, 66.67 % of the schedule sent"
	assert.Contains(t, stdout, literal)
	for _, name := range []string{"load.html", "junit.xml", "load.json", "summary.md"} {
		text, err := os.ReadFile(filepath.Join(dir, "part", name))
		require.NoError(t, err)
		assert.Contains(t, string(text), literal, name)
	}
	code, _, _ = merge("collected", "--exit-zero")
	assert.Equal(t, exitPass, code, "for those who only collect")
}

func TestExitCodeOfALoad(t *testing.T) {
	t.Parallel()
	partial := reports.Run{Partial: "it was interrupted"}
	for name, test := range map[string]struct {
		l    *reports.Load
		want int
	}{
		"alone and partial":         {&reports.Load{Verdict: reports.Inconclusive, Run: partial}, exitInconclusive},
		"alone and inconclusive":    {&reports.Load{Verdict: reports.Inconclusive}, exitInconclusive},
		"a shard and partial":       {&reports.Load{Verdict: reports.Inconclusive, Run: partial, Shard: "2/8"}, exitInconclusive},
		"merged and partial":        {&reports.Load{Verdict: reports.Inconclusive, Run: partial, Shards: []string{"1/8"}}, exitInconclusive},
		"merged and inconclusive":   {&reports.Load{Verdict: reports.Inconclusive, Shards: []string{"1/8"}}, exitInconclusive},
		"merged, partial, too slow": {&reports.Load{Verdict: reports.Invalid, Run: partial, Shards: []string{"1/8"}}, exitInvalid},
		"merged, partial, failed":   {&reports.Load{Verdict: reports.Fail, Run: partial, Shards: []string{"1/8"}}, exitFail},
	} {
		p := &program{}
		p.endLoad(test.l, false)
		assert.Equal(t, test.want, p.exitCode(), name)
	}
}
