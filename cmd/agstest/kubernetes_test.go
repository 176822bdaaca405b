package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
	"agstest/load"
	"agstest/load/shards"
	"agstest/load/tally"
	"agstest/mock"
	"agstest/reports"
	"agstest/reports/runs"
)

const operatorOfCluster = "the-operator-secret-of-a-cluster-test"

// withCluster is a service and a cluster, and the start of a command line that loads the one from the other.
func withCluster(t *testing.T, trouble string) (*fakeCluster, []string, string) {
	t.Helper()
	t.Parallel()
	f := newFakeCluster(trouble)
	m, err := newMock(mock.Config{OperatorSecret: operatorOfCluster}, nil, nil)
	require.NoError(t, err)
	service := httptest.NewServer(m)
	t.Cleanup(service.Close)
	file := filepath.Join(t.TempDir(), "staging.yaml")
	require.NoError(t, os.WriteFile(file, m.Environment(service.URL, "", ""), 0o600))
	out := filepath.Join(t.TempDir(), "run")
	return f, []string{"load", "--env", file, "--on", "kubernetes", "--shards", "3", "--image", "agstest:1", "--namespace", "load", "--allow-loopback",
		"--workload", "refresh", "--rate", "120/s", "--duration", "1s", "--lead", "4s", "--max-clock-error", "2s", "--max-lag", "2s", "--clients", "30", "--out", out}, out
}

func readLoad(t *testing.T, folder string) *reports.Load {
	stored, err := runs.Read(folder)
	require.NoError(t, err)
	return stored.Load
}

// ended is the exit code that a load must have had. A machine that is busy with other tests may make it one of a slow
// generator.
func ended(l *reports.Load) int {
	return map[reports.Verdict]int{reports.Pass: exitPass, reports.Inconclusive: exitInconclusive, reports.Invalid: exitInvalid}[l.Verdict]
}

func TestLoadOnKubernetes(t *testing.T) {
	f, line, out := withCluster(t, "")
	code, stdout, stderr := f.call(append(line, "--seed", "7", "--shard-progress")...)
	l := readLoad(t, out)
	assert.Equal(t, ended(l), code, "%s\n%s", stdout, stderr)
	assert.EqualValues(t, 120, l.Total.Sent)
	assert.EqualValues(t, 120, l.Total.Right)
	assert.Equal(t, []string{"1/3", "2/3", "3/3"}, l.Shards)
	assert.EqualValues(t, 7, l.Plan.Seed)
	assert.Equal(t, "constant 120/s for 1s", l.Plan.Schedule)
	require.Len(t, f.created, 1)
	assert.Equal(t, f.created[0], l.Run.ID, "the run has one id, here and there")
	assert.Empty(t, f.runs, "everything was removed")
	assert.Contains(t, stderr, "shard 3/3 on node n3: running")
	for _, file := range []string{"load.html", "junit.xml", "shards/1/load.record", "shards/2/load.record", "shards/3/load.record"} {
		assert.FileExists(t, filepath.Join(out, file))
	}

	texts, secrets := map[string]string{"the streams": stdout + stderr}, map[string]string{}
	require.NoError(t, filepath.WalkDir(out, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		texts[path] = string(text)
		return err
	}))
	for _, secret := range f.secrets {
		if len(secret) >= 12 {
			secrets[secret] = "a secret of the run"
		}
	}
	assert.GreaterOrEqual(t, len(secrets), 3, "the control token, the operator's secret, session tokens")
	assert.Empty(t, search(texts, secrets))

	merged := filepath.Join(t.TempDir(), "merged")
	code, _, stderr = f.call("merge", filepath.Join(out, "shards", "1"), filepath.Join(out, "shards", "2"), filepath.Join(out, "shards", "3"), "--out", merged)
	assert.Equal(t, ended(l), code, stderr)
	assert.Equal(t, l.Total, readLoad(t, merged).Total, "the shards merge to the same again")
	code, stdout, _ = f.call("report", out)
	assert.Equal(t, exitPass, code)
	assert.Contains(t, stdout, "120")
}

func TestLoadOnAClusterThatForwardsNoPort(t *testing.T) {
	f, line, out := withCluster(t, "no-forward")
	code, stdout, stderr := f.call(append(line, "--without-forward", "--ready-within", "20s", "--max-clock-error", "3s", "--seed", "7")...)
	require.DirExists(t, out, "%d: %s\n%s", code, stdout, stderr)
	l := readLoad(t, out)
	assert.Equal(t, ended(l), code, "%s\n%s", stdout, stderr)
	assert.EqualValues(t, 120, l.Total.Sent)
	assert.EqualValues(t, 120, l.Total.Right)
	assert.Equal(t, []string{"1/3", "2/3", "3/3"}, l.Shards)
	assert.Contains(t, l.Notes, "no shard was connected to (--without-forward): each started by its own clock, and what it recorded came with its log unless something else is said")
	assert.NotContains(t, strings.Join(l.Notes, "\n"), "shard 1/3 recorded came from")
	assert.Empty(t, f.runs, "everything was removed")
}

func TestALostShardMakesARunPartial(t *testing.T) {
	f, line, out := withCluster(t, "lost")
	code, stdout, stderr := f.call(append(line, "--duration", "2s")...)
	assert.Contains(t, stderr, "agstest: warning: shard 2/3 on node n2 is lost: its pod is gone; the node n2 is gone")
	l := readLoad(t, out)
	assert.Contains(t, []reports.Verdict{reports.Inconclusive, reports.Invalid}, l.Verdict)
	assert.Equal(t, ended(l), code, "also without --strict\n%s\n%s", stdout, stderr)
	assert.Equal(t, []string{"1/3", "3/3"}, l.Shards)
	assert.Contains(t, l.Run.Partial, "2 of 3 shards")
	assert.EqualValues(t, 160, l.Total.Sent)
}

func TestWhatCannotBeMergedIsKept(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "run")
	var stderr bytes.Buffer
	p := &program{getenv: func(string) (string, bool) { return "", false }, stdout: io.Discard, stderr: &stderr, now: time.Now}
	r, err := p.newOngoing(&cobra.Command{Use: "agstest"}, nil, &outputFlags{out: out}, "load", "staging")
	require.NoError(t, err)
	err = r.finish(p.conduct(t.Context(), r, p.newProgress(), &shards.Coordinator{}, false, load.Options{Run: r.run}, func() (*shards.Outcome, error) {
		o := &shards.Outcome{Run: "r1", Plan: shards.Plan{Shards: 2}}
		for i := range 2 {
			folder := filepath.Join(r.folder.Path(), shards.ShardsFolder, strconv.Itoa(i+1))
			require.NoError(t, os.MkdirAll(folder, 0o700))
			require.NoError(t, os.WriteFile(filepath.Join(folder, tally.RecordFile), []byte("no record"), 0o600))
			o.Shards = append(o.Shards, shards.Shard{Index: i + 1, Of: 2, Folder: folder})
		}
		return o, nil
	}))
	assert.ErrorContains(t, err, "it is no record of a load run; what came home is kept in "+out)
	assert.Equal(t, failure.Setup, failure.KindOf(err), "something was sent")
	assert.FileExists(t, filepath.Join(out, shards.ShardsFolder, "2", tally.RecordFile))
	saysInEveryFile(t, out, "nothing that the load measured came home: ", "it is no record of a load run")
}

func TestNothingIsSentWhereAClusterCannot(t *testing.T) {
	for trouble, want := range map[string]struct {
		code     int
		sentence string
	}{
		"no-kubeconfig": {exitUsage, "agstest: reading the kubeconfig: there is none; give --kubeconfig FILE\n"},
		"no-rights":     {exitSetup, "agstest: rights are missing in the namespace load\n"},
		"quota":         {exitSetup, "agstest: the quota of the namespace load is too small for 3 shards\n"},
		"image-missing": {exitSetup, "agstest: shard 2/3 cannot start: the image agstest:1 cannot be pulled: not found; nothing was sent\n"},
	} {
		t.Run(trouble, func(t *testing.T) {
			f, line, out := withCluster(t, trouble)
			code, stdout, stderr := f.call(append(line, "--limit", "errors<1%")...)
			assert.Equal(t, want.code, code)
			assert.Contains(t, stderr, want.sentence)
			assert.Empty(t, f.runs)
			if want.code == exitUsage {
				assert.Empty(t, stdout)
				assert.NoDirExists(t, out)
				return
			}
			sentence := strings.TrimSuffix(strings.TrimPrefix(want.sentence, "agstest: "), "\n")
			assert.Contains(t, stdout, "the load was never sent: "+sentence)
			saysInEveryFile(t, out, "the load was never sent: ", sentence)
			assert.Equal(t, reports.Error, readLoad(t, out).Limits[0].Verdict)
		})
	}
}

// saysInEveryFile looks for a reason in each file of a load without a figure that a pipeline reads; to a test runner it
// is an error.
func saysInEveryFile(t *testing.T, out string, words ...string) {
	t.Helper()
	for _, name := range []string{"load.json", "load.html", "junit.xml", "summary.md"} {
		text, err := os.ReadFile(filepath.Join(out, name))
		require.NoError(t, err)
		for _, word := range words {
			assert.Contains(t, strings.ToLower(string(text)), strings.ToLower(word), name)
		}
	}
	junit, err := os.ReadFile(filepath.Join(out, "junit.xml"))
	require.NoError(t, err)
	assert.Contains(t, string(junit), "<error ")
	assert.Equal(t, reports.Error, readLoad(t, out).Verdict)
}

// A set-up that fails in the shards is told as that of a load from here.
func TestASetUpThatFailsOnAClusterIsTold(t *testing.T) {
	f, line, out := withCluster(t, "")
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	t.Cleanup(refusing.Close)
	file := line[slices.Index(line, "--env")+1]
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, regexp.MustCompile(`(?m)^url: .*$`).ReplaceAll(text, []byte("url: "+refusing.URL)), 0o600))
	code, _, stderr := f.call(line...)
	assert.Equal(t, exitSetup, code, stderr)
	assert.Contains(t, stderr, "403")
	saysInEveryFile(t, out, "the load was never sent: ", "403")
}

func TestNothingIsCreatedForAWrongLoad(t *testing.T) {
	for name, test := range map[string]struct {
		more []string
		want string
	}{
		"no shards":      {[]string{"--shards", "0"}, "say with --shards how many generators share the load"},
		"many shards":    {[]string{"--shards", "1001"}, "--shards must be 1 to 1000, not 1001"},
		"no image":       {[]string{"--image", ""}, "say with --image which image of agstest the shards are"},
		"other engine":   {[]string{"--on", "nomad"}, `--on must be one of kubernetes, not "nomad"`},
		"one shard":      {[]string{"--shard", "1/2"}, "--shard and --start-at are for generators that are started by hand"},
		"embedded mock":  {nil, "the embedded mock is on this machine"}, // without --env
		"mock fault":     {[]string{"--mock-fault", "token-alg-none"}, "the embedded mock is on this machine"},
		"loopback":       {[]string{"--allow-loopback=false"}, "which inside a pod is the pod itself"},
		"no clients":     {[]string{"--clients", "1000000"}, "virtual clients were asked for"},
		"wrong limit":    {[]string{"--limit", "signon.p99<1s"}, "signon"},
		"lead too short": {[]string{"--lead", "100ms"}, "a lead of 100ms is too short"},
		"linger alone":   {[]string{"--without-forward", "--linger", "1m"}, "--linger is how long a shard waits for somebody who comes for its result, and with --without-forward nobody can"},
		"far ahead":      {[]string{"--without-forward", "--ready-within", "2h"}, "a load that starts by itself 2h0m4s after it was made is too far ahead; 1h0m0s is the most"},
		"signed address": {[]string{"--results-url", "https://store.example/x?sig=1"}, "--results-url wants a file that holds the address"},
	} {
		t.Run(name, func(t *testing.T) {
			f, line, out := withCluster(t, "")
			if test.more == nil {
				env := slices.Index(line, "--env")
				require.Positive(t, env, "%q", line)
				line = slices.Delete(line, env, env+2)
			}
			code, stdout, stderr := f.call(append(line, test.more...)...)
			assert.Equal(t, exitUsage, code, stderr)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, test.want)
			assert.Empty(t, f.created)
			assert.NoDirExists(t, out)
		})
	}
}

func TestADryRunOfALoadOnAClusterCreatesNothing(t *testing.T) {
	f, line, out := withCluster(t, "")
	code, stdout, stderr := f.call(append(line, "--dry-run")...)
	assert.Equal(t, exitPass, code, stderr)
	assert.Regexp(t, `^load: at most [0-9]+ requests, .*; nothing was sent\n$`, stdout)
	assert.Empty(t, f.created)
	assert.NoDirExists(t, out)
	code, _, stderr = f.call(append(line, "--dry-run", "--allow-loopback=false")...)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "which inside a pod is the pod itself")
}

func TestFlagsOfAClusterNeedIt(t *testing.T) {
	code, _, stderr := call(t, nil, "load", "--shards", "3")
	assert.Equal(t, exitUsage, code)
	assert.Equal(t, "agstest: --shards is for a load on a cluster; add --on kubernetes, or leave --shards out\n", stderr)
}

func TestManifestShowsNoSecret(t *testing.T) {
	f, line, _ := withCluster(t, "")
	args := append([]string{"kubernetes", "manifest"}, line[1:]...)
	args = append(args[:4], args[6:]...) // without --on
	args = args[:len(args)-2]            // nor --out
	code, stdout, stderr := f.call(append(args, "--limit", "refresh.p99<1s", "--limit", "errors<1%", "--seed", "3", "--yes-load", "a,b")...)
	require.Equal(t, exitPass, code, stderr)
	assert.Contains(t, stdout, "files: [environment.yaml plan.json]")
	assert.Contains(t, stdout, `"--limit=refresh.p99<1s"`)
	assert.Contains(t, stdout, `"--yes-load=a"`)
	assert.Contains(t, stdout, `"--seed=3"`)
	assert.NotContains(t, stdout, "--image=")
	assert.NotContains(t, stdout, operatorOfCluster)
	code, stdout, stderr = f.call(append(args, "--without-forward")...)
	assert.Equal(t, exitUsage, code)
	assert.Empty(t, stdout)
	assert.Equal(t, "agstest: with --without-forward the instant of the start is part of what is created, and when a manifest is applied is not known; leave it out, or have agstest create the load\n", stderr)
}

func TestKubernetesCommands(t *testing.T) {
	f, line, _ := withCluster(t, "")
	want := func(code int, stdout, stderr string, args ...string) {
		t.Helper()
		gotCode, gotOut, gotErr := f.call(append([]string{"kubernetes"}, args...)...)
		assert.Equal(t, code, gotCode, gotErr)
		assert.Equal(t, stdout, gotOut)
		assert.Equal(t, stderr, gotErr)
	}
	want(exitPass, "The namespace load takes a load.\n", "", "check", "--namespace", "load", "--image", "x")
	want(exitPass, "kind: Role # for load\n", "", "rbac", "--namespace", "load")
	want(exitPass, "kind: Role # for load, without forward\n", "", "rbac", "--namespace", "load", "--without-forward")
	want(exitPass, "The namespace default holds no load.\n", "", "list")
	want(exitPass, "[]\n", "", "list", "--json")
	want(exitPass, "", "there is nothing to remove in the namespace default\n", "clean")
	want(exitSetup, "", "agstest: there is no run x in the namespace default; agstest kubernetes list shows what there is\n", "clean", "x")
	want(exitSetup, "", "agstest: there is no run x in the namespace default\n", "collect", "x")
	want(exitSetup, "", "agstest: there is no run x in the namespace default\n", "start", "x")
	want(exitUsage, "", "agstest: --all and the id of one run exclude each other; leave one of them out\n", "clean", "x", "--all")
	f.trouble = "no-rights"
	want(exitSetup, "", "agstest: rights are missing in the namespace default\n", "check", "--image", "x")

	// A run that is kept is listed, and goes when it is told to.
	f.trouble = ""
	code, _, stderr := f.call(append(line, "--keep", "--shards", "1", "--max-lag", "1ns")...)
	require.Equal(t, exitInvalid, code, "a generator that is held up ends with 5, on a cluster too: %s", stderr)
	require.Len(t, f.created, 1)
	run := f.created[0]
	assert.Contains(t, stderr, "what was made for the run "+run+" is kept; remove it with: agstest kubernetes clean "+run)
	_, stdout, _ := f.call("kubernetes", "list", "--json")
	var runs []clusterRun
	require.NoError(t, json.Unmarshal([]byte(stdout), &runs))
	require.Len(t, runs, 1)
	assert.Equal(t, run, runs[0].Run)
	want(exitPass, run+"\n", "", "clean", "--all")
	assert.Empty(t, f.runs)
}

// leaveBehind starts a run as a coordinator does that is not heard of again.
func leaveBehind(t *testing.T, f *fakeCluster, line []string) string {
	args := append([]string{"kubernetes", "manifest"}, line[1:3]...)
	code, _, stderr := f.call(append(args, line[5:len(line)-2]...)...) // without --on and --out
	require.Equal(t, exitPass, code, stderr)
	work := f.shown
	engine, err := f.engine().open(kubernetesOptions{Namespace: "load"})
	require.NoError(t, err)
	require.NoError(t, engine.Create(t.Context(), work))
	hash := shards.HashOf(work.Files[shards.PlanFile])
	var plan shards.Plan
	require.NoError(t, json.Unmarshal(work.Files[shards.PlanFile], &plan))
	ask := func(i int, path string, in any) (status shards.Status) {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return engine.Dial(ctx, work.Run, i) }}}
		text, _ := json.Marshal(in)
		request, err := http.NewRequest("POST", "http://shard"+path, bytes.NewReader(text))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+string(work.Secrets[shards.TokenFile]))
		answer, err := client.Do(request)
		if err != nil {
			return status // it does not listen yet
		}
		defer answer.Body.Close()
		_ = json.NewDecoder(answer.Body).Decode(&status)
		return status
	}
	for i := range work.Shards {
		require.Eventually(t, func() bool {
			return ask(i, shards.PathPrepare, shards.Prepare{Plan: hash, Version: plan.Version}).Phase == shards.PhaseReady
		}, longest, 10*time.Millisecond)
	}
	never := filepath.Join(t.TempDir(), "never")
	code, _, stderr = f.call("kubernetes", "collect", work.Run, "--out", never)
	assert.Equal(t, exitSetup, code)
	saysInEveryFile(t, never, "the load was never sent: the run "+work.Run+" was never started")
	assert.Contains(t, stderr, "the run "+work.Run+" was never started: its shards wait for a coordinator that is gone; nothing was sent")
	at := time.Now().Add(4 * time.Second).UnixNano() // telling all of it may take a second
	for i := range work.Shards {
		require.Equal(t, shards.PhaseArmed, ask(i, shards.PathStart, shards.Start{At: at}).Phase)
	}
	return work.Run
}

func TestStartOfWhatWasApplied(t *testing.T) {
	f, line, out := withCluster(t, "")
	code, _, stderr := f.call(append(append([]string{"kubernetes", "manifest"}, line[1:3]...), line[5:len(line)-2]...)...)
	require.Equal(t, exitPass, code, stderr)
	engine, err := f.engine().open(kubernetesOptions{Namespace: "load"})
	require.NoError(t, err)
	require.NoError(t, engine.Create(t.Context(), f.shown), "as kubectl apply does")
	code, stdout, stderr := f.call("kubernetes", "start", f.shown.Run, "--lead", "4s", "--max-clock-error", "2s", "--out", out)
	l := readLoad(t, out)
	assert.Equal(t, ended(l), code, "%s\n%s", stdout, stderr)
	assert.EqualValues(t, 120, l.Total.Right)
	assert.Equal(t, f.shown.Run, l.Run.ID)
	assert.Empty(t, f.runs)
}

func TestCollectBringsARunHome(t *testing.T) {
	f, line, out := withCluster(t, "")
	run := leaveBehind(t, f, line)
	code, stdout, stderr := f.call("kubernetes", "collect", run, "--out", out)
	l := readLoad(t, out)
	assert.Equal(t, ended(l), code, "%s\n%s", stdout, stderr)
	assert.EqualValues(t, 120, l.Total.Right)
	assert.Equal(t, run, l.Run.ID)
	assert.Empty(t, f.runs)
}
