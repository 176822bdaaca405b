package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/internal/ports"
	"agstest/load/shards"
	"agstest/mock"
	"agstest/reports/runs"
)

// shardFolders are the folders of a shard, as a pod has them.
type shardFolders struct {
	plan, secrets, out, words string
}

// planned writes the plan of a run against a mock and everything that a shard needs.
func planned(t *testing.T, change func(*shards.Plan)) (shardFolders, *runningMock) {
	t.Helper()
	f := shardFolders{plan: t.TempDir(), secrets: t.TempDir(), out: t.TempDir()}
	f.words = filepath.Join(f.out, "termination-log")
	running, err := startMock(mock.New(mock.Config{}), mockAddresses{service: "127.0.0.1:0", control: "127.0.0.1:0", tls: true, caFile: filepath.Join(t.TempDir(), "ca.pem")})
	require.NoError(t, err)
	t.Cleanup(func() { running.stop(time.Second) })
	e, err := environment.Parse(running.environment(), "mock.yaml", ".", func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	portable, err := e.Portable()
	require.NoError(t, err)
	plan := shards.Plan{
		Schema: shards.PlanSchema, Run: "run-1", Version: shardVersion(), Shards: 2, Env: "environment.yaml", ReadyWithin: time.Minute,
		Duration: time.Second, Drain: time.Second, Linger: time.Minute,
		Arguments: []string{"--profile", "/somewhere/else/mine.yaml", "--workload", "refresh", "--seed", "7", "--max-lag", "1m", "--limit", "errors<1%"},
	}
	change(&plan)
	text, err := json.Marshal(plan)
	require.NoError(t, err)
	portable.Files[shards.PlanFile], portable.Files["environment.yaml"] = text, portable.Text
	portable.Files["mine.yaml"] = []byte("stages: [{constant: {rate: 60/s, for: 500ms}}]")
	portable.Secrets[shards.TokenFile] = []byte("s3cret-token\n")
	for folder, files := range map[string]map[string][]byte{f.plan: portable.Files, f.secrets: portable.Secrets} {
		for name, text := range files {
			require.NoError(t, os.WriteFile(filepath.Join(folder, name), text, 0o600))
		}
	}
	return f, running
}

func (f shardFolders) arguments(address string) []string {
	return []string{"shard", "--plan", f.plan, "--secrets", f.secrets, "--out", f.out, "--termination", f.words, "--listen", address}
}

func TestShardCommandDoesItsPart(t *testing.T) {
	t.Parallel()
	f, running := planned(t, func(*shards.Plan) {})
	address := ports.FreeAddress(t)
	type outcome struct {
		code           int
		stdout, stderr string
	}
	ended := make(chan outcome, 1)
	go func() {
		code, stdout, stderr := call(t, map[string]string{"JOB_COMPLETION_INDEX": "1"}, f.arguments(address)...)
		ended <- outcome{code, stdout, stderr}
	}()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ask := func(method, path string, message any) (shards.Status, []byte, error) {
		text, err := json.Marshal(message)
		require.NoError(t, err)
		request, err := http.NewRequest(method, "http://"+address+path, bytes.NewReader(text))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer s3cret-token")
		response, err := client.Do(request)
		var s shards.Status
		if err != nil {
			return s, nil, err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		_ = json.Unmarshal(body, &s)
		return s, body, nil
	}
	var s shards.Status
	reaches := func(phase shards.Phase) {
		t.Helper()
		require.Eventually(t, func() bool {
			var err error
			s, _, err = ask("GET", shards.PathState, nil)
			return err == nil && s.Phase == phase
		}, longest, 5*time.Millisecond, "%s: %s", phase, s.Error)
	}
	reaches(shards.PhaseWaiting)
	assert.Equal(t, 1, s.Index, "from the environment")
	_, _, err := ask("POST", shards.PathPrepare, shards.Prepare{Plan: s.Plan, Version: s.Version})
	require.NoError(t, err)
	reaches(shards.PhaseReady)
	assert.EqualValues(t, 15, s.Planned, "half of the profile in the plan's folder")
	for lead := time.Second; ; lead *= 4 {
		s, _, err = ask("POST", shards.PathStart, shards.Start{At: time.Now().Add(lead).UnixNano()})
		require.NoError(t, err)
		if !strings.Contains(s.Error, "has passed") || lead > time.Minute {
			break // and this machine did not stand still for longer than the lead
		}
	}
	reaches(shards.PhaseDone)
	_, result, err := ask("GET", shards.PathResult, nil)
	require.NoError(t, err)
	folder := t.TempDir()
	require.NoError(t, shards.Unpack(bytes.NewReader(result), folder))
	stored, err := runs.Read(folder)
	require.NoError(t, err)
	l := stored.Load
	assert.EqualValues(t, []int64{15, 15}, []int64{l.Total.Sent, l.Total.Right}, "%v", l.Wrong)
	assert.Equal(t, "2/2", l.Shard)
	assert.Equal(t, "run-1", l.Run.ID)
	assert.EqualValues(t, 7, l.Plan.Seed)
	_, _, err = ask("POST", shards.PathAck, shards.Ack{SHA256: s.Result.SHA256})
	require.NoError(t, err)
	end := <-ended
	assert.Zero(t, end.code, end.stderr)
	assert.Empty(t, end.stdout)
	var words shards.Ending
	text, err := os.ReadFile(f.words)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &words), "%s", text)
	assert.Equal(t, shards.PhaseDone, words.Phase)
	assert.EqualValues(t, 15, words.Sent)
	for _, secret := range append(running.mock.Secrets(), "s3cret-token") {
		assert.NotContains(t, string(result), secret)
		assert.NotContains(t, string(text)+end.stderr, secret)
	}
}

func TestShardCommandRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change    func(*shards.Plan)
		variables map[string]string
		says      string
	}{
		"no index":      {nil, nil, "needs --index or JOB_COMPLETION_INDEX"},
		"wrong index":   {nil, map[string]string{"JOB_COMPLETION_INDEX": "x"}, `not "x"`},
		"another one":   {func(p *shards.Plan) { p.Version = "9.9.9" }, map[string]string{"JOB_COMPLETION_INDEX": "0"}, "was made by agstest 9.9.9"},
		"too high":      {nil, map[string]string{"JOB_COMPLETION_INDEX": "2"}, "there is no shard 2 in a run of 2 shards"},
		"no such store": {func(p *shards.Plan) { p.ResultsURL = "results-url" }, map[string]string{"JOB_COMPLETION_INDEX": "0"}, "cannot read the results URL of the plan"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, _ := planned(t, func(p *shards.Plan) {
				if test.change != nil {
					test.change(p)
				}
			})
			code, _, stderr := call(t, test.variables, append(f.arguments("127.0.0.1:0"), "--failed-linger", "1ms")...)
			assert.Equal(t, exitUsage, code)
			assert.Contains(t, stderr, test.says)
		})
	}
	code, _, stderr := call(t, nil, "shard")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "a shard needs --")
}

func TestArgumentsOfAPlan(t *testing.T) {
	t.Parallel()
	for says, arguments := range map[string]string{
		"have no --seed":                         "--rate 5/s --duration 1s",
		"have --shard or --start-at":             "--rate 5/s --duration 1s --seed 3 --shard 1/2",
		"not those of a load: unknown flag":      "--rate 5/s --seed 3 --env x.yaml",
		`not those of a load: "more" is no flag`: "--rate 5/s --seed 3 more",
		"--limit":                                "--rate 5/s --seed 3 --limit nonsense",
	} {
		_, _, err := optionsOfPlan(t.TempDir(), &shards.Plan{Arguments: strings.Fields(arguments)})
		assert.ErrorContains(t, err, says)
	}
}

func TestLastWordsFit(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "termination-log")
	for _, sentence := range []string{"no <token>", strings.Repeat("<", 2048), strings.Repeat("<", 10_000)} {
		leaveLastWords(path, shards.Ending{Index: 3, Phase: shards.PhaseFailed, Error: sentence, Sent: 7})
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.LessOrEqual(t, len(text), maxLastWords)
		var e shards.Ending
		require.NoError(t, json.Unmarshal(text, &e))
		assert.EqualValues(t, 7, e.Sent)
	}
}
