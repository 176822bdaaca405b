package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/load/hit"
	"agstest/load/schedule"
	"agstest/load/tally"
	"agstest/reports"
)

// noted is a workload that keeps the raw samples beside.
type noted struct {
	twoPaths
	mu      sync.Mutex // guards service
	service []int64
}

func (n *noted) End(r *hit.Request, a *hit.Answer) hit.Outcome {
	outcome := n.twoPaths.End(r, a)
	if outcome.Kind == "" {
		n.mu.Lock()
		n.service = append(n.service, int64(a.Received.Sub(a.Sent)))
		n.mu.Unlock()
	}
	return outcome
}

var shardOperations = []string{"a", "b", "c"}

// started says on stdout that a shard is ready, and reads on stdin when it is to start.
func started(ctx context.Context, ready Ready) (at time.Time, err error) {
	fmt.Println("ready")
	if err := json.NewDecoder(os.Stdin).Decode(&at); err != nil {
		return at, err
	}
	return clockBarrier(at)(ctx, ready)
}

// The other half of TestShardsOfTwoProcessesMerge: one shard, in a process of its own.
func TestShardProcess(t *testing.T) {
	text := os.Getenv("AGSTEST_TEST_SHARD")
	if text == "" {
		t.Skip("this is run by TestShardsOfTwoProcessesMerge")
	}
	var c struct {
		Server, Folder string
		Index          int
	}
	require.NoError(t, json.Unmarshal([]byte(text), &c))
	w := &noted{twoPaths: twoPaths{operations: shardOperations}}
	e := testEngine(t, c.Server, w, asking{Rate: per(300), Duration: 1500 * time.Millisecond, Record: c.Folder, Shard: schedule.Shard{Index: c.Index, Of: 2}, Barrier: started})
	_, err := e.run(context.Background())
	require.NoError(t, err)
	samples, err := json.Marshal(w.service)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(c.Folder, "samples.json"), samples, 0o600))
}

func TestShardsOfTwoProcessesMerge(t *testing.T) {
	t.Parallel()
	// The service answers by number, so that the answer of a hit does not depend on the client that sends it.
	answer := func(w http.ResponseWriter, r *http.Request) {
		switch seq := r.Header.Get("X-Seq"); {
		case strings.HasSuffix(seq, "7"):
			w.WriteHeader(503)
		case strings.HasSuffix(seq, "3"):
			io.WriteString(w, "other")
		default:
			right(w, r)
		}
	}
	server := serve(t, answer)
	folders := []string{t.TempDir(), t.TempDir()}
	var shards []*exec.Cmd
	var starts []io.Writer
	var said []*bufio.Reader
	for i, folder := range folders {
		text, err := json.Marshal(map[string]any{"Server": server.URL, "Folder": folder, "Index": i + 1})
		require.NoError(t, err)
		shard := exec.Command(os.Args[0], "-test.run=^TestShardProcess$")
		shard.Env = append(os.Environ(), "AGSTEST_TEST_SHARD="+string(text))
		start, err := shard.StdinPipe()
		require.NoError(t, err)
		stdout, err := shard.StdoutPipe()
		require.NoError(t, err)
		shards, starts, said = append(shards, shard), append(starts, start), append(said, bufio.NewReader(stdout))
		require.NoError(t, shard.Start())
	}
	for _, s := range said {
		line, err := s.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "ready\n", line)
	}
	start := time.Now().Add(50 * time.Millisecond)
	for _, s := range starts {
		require.NoError(t, json.NewEncoder(s).Encode(start))
	}
	for i, shard := range shards {
		rest, err := io.ReadAll(said[i])
		require.NoError(t, err)
		require.NoError(t, shard.Wait(), "%s", rest)
	}
	merged, err := tally.Merge(folders[1], folders[0])
	require.NoError(t, err)

	// In a shard the workload counts its own hits: of 225 hits 0…224 of each shard the ends 7 and 3 have 22 each (7, 17
	// … 217 are 22; 3, 13 … 223 are 23).
	total := merged.Total
	assert.EqualValues(t, []int64{450, 450, 360, 90}, []int64{total.Asked, total.Sent, total.Right, total.Wrong})
	assert.Equal(t, map[string]int64{"status": 44, "shape": 46}, total.Outcomes)
	for _, name := range shardOperations {
		assert.EqualValues(t, 150, merged.Operations[name].Sent)
	}
	assert.EqualValues(t, 450, merged.Plan.Hits)
	assert.Equal(t, []string{"1/2", "2/2"}, merged.Shards)
	assert.Empty(t, merged.Run.Partial)
	assert.NotContains(t, strings.Join(merged.Invalid, ", "), "missing")

	var samples []int64
	for _, folder := range folders {
		var part []int64
		text, err := os.ReadFile(filepath.Join(folder, "samples.json"))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &part))
		samples = append(samples, part...)
	}
	slices.Sort(samples)
	for q, got := range map[float64]int64{0.5: total.Service.P50, 0.9: total.Service.P90, 0.95: total.Service.P95, 0.99: total.Service.P99, 0.999: total.Service.P999, 1: total.Service.Max} {
		assert.InEpsilon(t, nearest(samples, q), got, 0.001, "quantile %v", q)
	}

	// The union run in one process has the same counts.
	folder := t.TempDir()
	e := testEngine(t, server.URL, &twoPaths{operations: shardOperations}, asking{Rate: per(300), Duration: 1500 * time.Millisecond, Record: folder})
	whole, err := e.run(context.Background())
	require.NoError(t, err)
	assert.EqualValues(t, []int64{450, 450, 360, 90}, []int64{whole.Total.Asked, whole.Total.Sent, whole.Total.Right, whole.Total.Wrong})

	_, err = tally.Merge(folder)
	assert.ErrorContains(t, err, "no shard")
	_, err = tally.Merge(folders[0], folders[0])
	assert.ErrorContains(t, err, "both shard 1/2")

	alone, err := tally.Merge(folders[0])
	require.NoError(t, err)
	assert.Equal(t, "partial: 1 of 2 shards, 50.00 % of the schedule sent; missing: shard 2/2 from the start on (nothing of it came home)", alone.Run.Partial)
	assert.Equal(t, reports.Fail, alone.Verdict, "what is not right is not right, however much was sent")
	assert.EqualValues(t, 450, alone.Plan.Hits, "what was asked for")
}

// The same samples in one tally and in two: the merged shards are the union, to the last digit.
func TestMergedShardsAreTheUnion(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(right))
	t.Cleanup(server.Close)
	began := time.Now().Add(-time.Hour)
	type timed struct {
		operation int
		due       time.Duration
		took      time.Duration
		kind      string
	}
	var hits []timed
	for i := range 5000 {
		h := timed{operation: i % 3, due: time.Duration(i) * time.Millisecond, took: time.Duration(i*i%97_003) * time.Microsecond}
		if i%50 == 7 {
			h.kind = "status"
		}
		hits = append(hits, h)
	}
	run := func(shard schedule.Shard) (string, *tally.Ledger) {
		folder := t.TempDir()
		o := asking{Rate: per(1000), Duration: 5 * time.Second, Shard: shard}
		e := testEngine(t, server.URL, &twoPaths{operations: shardOperations}, o)
		e.Asked.Run.Start = began
		head := &tally.Head{Report: e.Asked, Operations: shardOperations, Of: shard.Of, Began: began}
		keep, err := tally.NewRecorder(folder, head)
		require.NoError(t, err)
		a := &attack{schedule: e.Schedule, length: 5 * time.Second, began: began, tally: tally.New(shardOperations, false, false, began)}
		s := &secondHand{attack: a, ledger: tally.NewLedger(shardOperations, false), recorder: keep, health: newHealthWatch(began, 0)}
		for second := range 6 {
			for i, h := range hits {
				if shard.Of > 1 && i%shard.Of != shard.Index-1 {
					continue
				}
				if end := h.due + h.took; int(end/time.Second) == second {
					due := began.Add(h.due)
					a.tally.Send(h.operation, due, due)
					a.tally.End(0, due, &hit.Request{Operation: h.operation}, &hit.Answer{Status: 200, Sent: due, Received: due.Add(h.took)}, &hit.Outcome{Kind: h.kind}, &hit.Phases{})
				}
			}
			if second < 5 {
				s.take(nil)
			} else {
				s.take(&tally.Ending{})
			}
		}
		require.NoError(t, keep.Close())
		return folder, s.ledger
	}
	whole, _ := run(schedule.Shard{})
	one, _ := run(schedule.Shard{Index: 1, Of: 2})
	two, _ := run(schedule.Shard{Index: 2, Of: 2})
	union, err := tally.ReadRecord(whole)
	require.NoError(t, err)
	merged, err := tally.Merge(one, two)
	require.NoError(t, err)
	assert.EqualValues(t, 5000, union.Total.Sent)
	union.Total.Rate, merged.Total.Rate = 0, 0
	assert.Equal(t, union.Total, merged.Total)
	assert.Equal(t, union.Seconds, merged.Seconds)
	for name, o := range union.Operations {
		o.Rate, merged.Operations[name].Rate = 0, 0
		assert.Equal(t, o, merged.Operations[name])
	}
}

func TestShardsOfDifferentQuestionsAreRefused(t *testing.T) {
	server := serve(t, right)
	run := func(o asking, operations ...string) string {
		o.Record, o.Duration = t.TempDir(), 50*time.Millisecond
		_, err := testEngine(t, server.URL, &twoPaths{operations: operations}, o).run(context.Background())
		require.NoError(t, err)
		return o.Record
	}
	first := run(asking{Rate: per(100), Shard: schedule.Shard{Index: 1, Of: 2}}, "a")
	for word, folder := range map[string]string{
		"schedule":         run(asking{Rate: per(200), Shard: schedule.Shard{Index: 2, Of: 2}}, "a"),
		"seed":             run(asking{Rate: per(100), Shard: schedule.Shard{Index: 2, Of: 2}, Seed: 1}, "a"),
		"number of shards": run(asking{Rate: per(100), Shard: schedule.Shard{Index: 2, Of: 3}}, "a"),
		"operations":       run(asking{Rate: per(100), Shard: schedule.Shard{Index: 2, Of: 2}}, "b"),
		"release":          run(asking{Rate: per(100), Shard: schedule.Shard{Index: 2, Of: 2}, Release: "4.2"}, "a"),
		"mixes":            run(asking{Rate: per(100), Shard: schedule.Shard{Index: 2, Of: 2}, Mix: map[string]int{"a": 1}}, "a"),
	} {
		_, err := tally.Merge(first, folder)
		assert.ErrorContains(t, err, word)
	}
	_, err := tally.Merge()
	assert.ErrorContains(t, err, "nothing to merge")
	_, err = tally.Merge(t.TempDir())
	assert.ErrorContains(t, err, tally.RecordFile)
}
