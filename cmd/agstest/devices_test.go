package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
	"agstest/reports"
)

// TestDevicesAreCountedBefore: a live run tells how many devices it makes at most, makes no more, and lists those that
// stay.
func TestDevicesAreCountedBefore(t *testing.T) {
	t.Parallel()
	running, err := startMock(mock.New(mock.Config{}), mockAddresses{service: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { running.stop(time.Second) })
	for _, test := range []struct {
		more string
		only string
		most int
	}{
		{"", "SOST-02,SOST-03,SOST-06,SOST-07,OUT-01,SSO-02", 4},
		{"devices: {budget: 6}\n", "SOST-02,SOST-03,SOST-06,SOST-07,OUT-01,SSO-02,DEV-01", 6},
		{"devices: {budget: 2}\n", "SOST-02,SOST-03,SOST-06,SOST-07,OUT-01,SSO-02", 2},
		{"", "REF-01", 0},
	} {
		out := filepath.Join(t.TempDir(), "out")
		file := environmentElsewhere(t, running, running.url, test.more)
		_, stdout, stderr := call(t, nil, "conform", "--env", file, "--only", test.only, "--generate", "0", "--sequences", "0", "--out", out)
		told := regexp.MustCompile(`this run makes at most (\d+) devices? \(devices: \{budget: \d+\}\); they stay there, as no action deletes them`).FindStringSubmatch(stderr)
		text, err := os.ReadFile(filepath.Join(out, reports.ConformanceFile))
		require.NoError(t, err, stdout+stderr)
		left := regexp.MustCompile(`devices that this run made and that stay behind: (\d+)`).FindStringSubmatch(string(text))
		if test.most == 0 {
			assert.Nil(t, told, stderr)
			assert.Nil(t, left)
			continue
		}
		require.NotNil(t, told, stderr)
		require.NotNil(t, left, "%s\n%s", stdout, stderr)
		count, _ := strconv.Atoi(left[1])
		most, _ := strconv.Atoi(told[1])
		assert.LessOrEqual(t, most, test.most)
		assert.LessOrEqual(t, count, most)
		assert.Positive(t, count)
	}
	for more, want := range map[string]string{
		"devices: {budget: 0}":       "devices.budget: must be a number of devices between 1 and 1000",
		"devices: {budget: many}":    "devices.budget must be a whole number",
		"devices: {budgets: 3}":      "did you mean budget?",
		"devices: {budget: 3000000}": "devices.budget: must be a number of devices between 1 and 1000",
	} {
		code, _, stderr := call(t, nil, "env", environmentElsewhere(t, running, running.url, more))
		assert.Equal(t, exitUsage, code)
		assert.Contains(t, stderr, want)
	}
}
