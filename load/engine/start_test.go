package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBarrierStartsTheClock(t *testing.T) {
	t.Parallel()
	server := serve(t, right)
	var ready Ready
	var agreed time.Time
	o := asking{Rate: per(100), Duration: 300 * time.Millisecond, Barrier: func(_ context.Context, r Ready) (time.Time, error) {
		ready, agreed = r, time.Now().Add(60*time.Millisecond)
		return agreed, nil
	}}
	report, err := testEngine(t, server.URL, &twoPaths{operations: []string{"a"}}, o).run(context.Background())
	require.NoError(t, err)
	assert.Equal(t, Ready{Hits: 30, Length: 300 * time.Millisecond}, ready)
	assert.EqualValues(t, 30, report.Total.Sent)
	assert.WithinDuration(t, agreed, report.Run.Start, time.Millisecond)
	assert.Positive(t, report.Generator.StartLate, "some microseconds")
	assert.Less(t, time.Duration(report.Generator.StartLate), 5*time.Second)

	o.Barrier = func(context.Context, Ready) (time.Time, error) { return time.Now().Add(-1500 * time.Millisecond), nil }
	_, err = testEngine(t, server.URL, &twoPaths{operations: []string{"a"}}, o).run(context.Background())
	assert.ErrorContains(t, err, "too late")
	never := errors.New("nobody came")
	o.Barrier = func(context.Context, Ready) (time.Time, error) { return time.Time{}, never }
	_, err = testEngine(t, server.URL, &twoPaths{operations: []string{"a"}}, o).run(context.Background())
	assert.Equal(t, never, err)
	ctx, cancel := context.WithCancel(context.Background())
	o.Barrier = func(context.Context, Ready) (time.Time, error) { cancel(); return time.Now().Add(time.Hour), nil }
	_, err = testEngine(t, server.URL, &twoPaths{operations: []string{"a"}}, o).run(ctx)
	assert.ErrorIs(t, err, context.Canceled, "it does not wait for the instant")
}

// A run that waits for its start says so, and one that is ended there says what it did.
func TestWaitingForTheStartIsTold(t *testing.T) {
	t.Parallel()
	ended := errors.New("somebody ended it")
	ctx, cancel := context.WithCancelCause(context.Background())
	var told []time.Duration
	began := time.Now().Add(time.Hour)
	q := Question{Waiting: func(left time.Duration) { told = append(told, left); cancel(ended) }}
	_, err := q.await(ctx, began)
	assert.ErrorIs(t, err, ended)
	assert.ErrorContains(t, err, "everything was set up, and it waited for its start at "+began.Format(time.TimeOnly))
	require.Len(t, told, 1)
	assert.InDelta(t, time.Hour, told[0], float64(time.Minute))
}

func TestCPULimitIsFoundAndRead(t *testing.T) {
	t.Parallel()
	write := func(root, path, text string) {
		require.NoError(t, os.MkdirAll(filepath.Join(root, filepath.Dir(path)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(root, path), []byte(text), 0o600))
	}
	for name, test := range map[string]struct {
		membership, file, text string
		want                   throttling
	}{
		"version 2, own namespace":  {"0::/\n", "cpu.stat", "usage_usec 5\nnr_periods 9\nnr_throttled 4\nthrottled_usec 2500\n", throttling{2500 * time.Microsecond, 4}},
		"version 2":                 {"0::/kube/pod1/c1\n", "kube/pod1/c1/cpu.stat", "nr_throttled 1\nthrottled_usec 7\n", throttling{7 * time.Microsecond, 1}},
		"version 1":                 {"5:memory:/m\n4:cpu,cpuacct:/kube/c1\n0::/\n", "cpu,cpuacct/kube/c1/cpu.stat", "nr_periods 3\nnr_throttled 2\nthrottled_time 1000000\n", throttling{time.Millisecond, 2}},
		"version 1, in a container": {"4:cpu:/kube/c1\n", "cpu/cpu.stat", "nr_throttled 2\nthrottled_time 30\n", throttling{30, 2}},
		"the root counts nothing":   {"0::/\n", "cpu.stat", "usage_usec 5\n", throttling{}},
		"nothing":                   {"nonsense\n", "other", "", throttling{}},
	} {
		root := t.TempDir()
		write(root, test.file, test.text)
		write(root, "membership", test.membership)
		limit := findCPULimit(filepath.Join(root, "membership"), root)
		assert.Equal(t, test.want, limit.throttled(), name)
	}
	assert.Empty(t, findCPULimit("/nonexistent", "/nonexistent"))
	assert.False(t, strings.Contains(string(findCPULimit("/proc/self/cgroup", "/sys/fs/cgroup")), "//"))
}
