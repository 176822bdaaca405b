//go:build linux

package cluster

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// noise is what one busy machine with two processors adds to a percentile in one run and not in another.
const noise = 8 * time.Millisecond

// TestWholeRunIsTheLocalRun asks the same question of the same service twice here and once with three shards on two
// nodes. Every count is the same; percentiles lie no further from those of the local runs than they lie from each
// other, and the noise of the machine.
func TestWholeRunIsTheLocalRun(t *testing.T) {
	s := serve(t, delay)
	var locals []report
	for range 2 {
		folder := t.TempDir() + "/run"
		p := agstest(t, lab.Parts.Agstest, s.variables, append([]string{"load", "--env", s.environment, "--out", folder}, question(10)...)...)
		p.ending(t, 0, time.Minute)
		locals = append(locals, read(t, folder))
	}
	ns := namespace(t)
	run := onCluster(t, s, ns, administratorFile(), question(10))
	nodes := map[string]int{}
	for _, p := range run.sending(t, s, 20) {
		nodes[p.Spec.NodeName]++
	}
	run.ending(t, 0, 2*time.Minute)
	whole := read(t, run.folder)

	require.Len(t, nodes, 2, "three shards on two nodes: %v", nodes)
	require.Equal(t, int64(400), whole.Plan.Hits)
	require.Equal(t, "pass", whole.Verdict)
	require.True(t, whole.Valid)
	require.NotContains(t, run.stderr(), "partial")
	for _, local := range locals {
		require.Equal(t, local.Plan.Hits, whole.Plan.Hits)
		require.Equal(t, counts(local), counts(whole))
		require.Equal(t, local.Verdict, whole.Verdict)
	}
	require.Equal(t, int64(400), whole.Total.Right)
	require.Equal(t, int64(400), whole.Total.Statuses["200"]+whole.Total.Statuses["201"])
	require.Greater(t, whole.Operations["refresh"].Right, whole.Operations["signon"].Right)
	require.Positive(t, whole.Operations["signon"].Right)
	for _, name := range []string{"p50", "p90", "p95", "p99"} {
		a, b := duration(locals[0], name), duration(locals[1], name)
		bound := max(a, b) - min(a, b) + noise
		got := duration(whole, name)
		t.Logf("%s: local %s and %s, on the cluster %s", name, a, b, got)
		require.GreaterOrEqual(t, got, min(a, b)-bound, name)
		require.LessOrEqual(t, got, max(a, b)+bound, name)
	}
	nothingLeft(t, ns)

	again := filepath.Join(t.TempDir(), "again")
	parts, err := filepath.Glob(filepath.Join(run.folder, "shards", "*"))
	require.NoError(t, err)
	require.Len(t, parts, 3)
	agstest(t, lab.Parts.Agstest, nil, append([]string{"merge", "--out", again}, parts...)...).ending(t, 0, time.Minute)
	require.Equal(t, counts(whole), counts(read(t, again)))
	require.Equal(t, whole.Total.Response, read(t, again).Total.Response)
}

// TestWrongAnswersAreTheLocalOnes asks a service whose sign-ons answer for another account: each of them is wrong, on
// the cluster as here, of the same kind and with the same exit code.
func TestWrongAnswersAreTheLocalOnes(t *testing.T) {
	s := serve(t, nil, "session-other-account")
	wrong := []string{"--workload", "signon", "--rate", "30/s", "--duration", "5s", "--seed", "7", "--max-lag", "1s"}
	folder := t.TempDir() + "/run"
	agstest(t, lab.Parts.Agstest, s.variables, append([]string{"load", "--env", s.environment, "--out", folder}, wrong...)...).ending(t, 1, time.Minute)
	local := read(t, folder)
	ns := namespace(t)
	run := onCluster(t, s, ns, administratorFile(), wrong)
	run.ending(t, 1, 2*time.Minute)
	whole := read(t, run.folder)
	require.Equal(t, int64(150), whole.Total.Wrong)
	require.Equal(t, counts(local), counts(whole))
	require.NotEmpty(t, whole.Wrong)
	require.Equal(t, local.Wrong, whole.Wrong)
	require.Equal(t, "fail", whole.Verdict)
	nothingLeft(t, ns)
}

// counts are what must be the same in two runs of one question: by operation, what was asked, sent, right and wrong,
// and the statuses.
func counts(r report) map[string]figures {
	all := map[string]figures{"total": r.Total}
	for name, f := range r.Operations {
		all[name] = f
	}
	for name, f := range all {
		f.Response = nil
		all[name] = f
	}
	return all
}

func duration(r report, percentile string) time.Duration {
	return time.Duration(r.Total.Response[percentile])
}

// TestAPIServerRestart has no API server for four seconds of the load: no connection is needed then, and the run is
// whole.
func TestAPIServerRestart(t *testing.T) {
	s := serve(t, nil)
	ns := namespace(t)
	run := onCluster(t, s, ns, administratorFile(), question(20))
	run.sending(t, s, 40)
	lab.KillAPI()
	before := s.answered.Load()
	eventually(t, 30*time.Second, "160 hits without an API server", func() bool { return s.answered.Load() >= before+160 })
	require.NoError(t, lab.StartAPI())
	run.ending(t, 0, 2*time.Minute)
	whole := read(t, run.folder)
	require.Equal(t, "pass", whole.Verdict)
	require.Equal(t, int64(800), whole.Total.Sent)
	require.Equal(t, int64(800), whole.Total.Right)
	nothingLeft(t, ns)
	require.NotContains(t, strings.ToLower(run.stderr()), "panic")
}
