package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/ports"
	"agstest/load/engine"
	"agstest/load/limit"
	"agstest/load/shards"
	"agstest/load/tally"
	"agstest/reports"
	"agstest/reports/runs"
)

func TestLiveFlagsAreChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		flags liveFlags
		says  string
	}{
		{liveFlags{}, ""},
		{liveFlags{watch: "127.0.0.1:0"}, ""},
		{liveFlags{watch: "[::1]:0", control: true}, ""},
		{liveFlags{watch: "localhost:8099"}, ""},
		{liveFlags{watch: "0.0.0.0:0", open: true}, ""},
		{liveFlags{watch: ":8099", open: true}, ""},
		{liveFlags{watch: ":8099"}, "use 127.0.0.1:8099, or add --open-to-network"},
		{liveFlags{watch: "0.0.0.0:0"}, "--watch 0.0.0.0:0 can be reached from other machines"},
		{liveFlags{watch: "build-7:80"}, "can be reached from other machines"},
		{liveFlags{watch: "8099"}, `--watch must be an address and a port such as 127.0.0.1:0, not "8099"`},
		{liveFlags{watch: "127.0.0.1:"}, `--watch must be an address and a port`},
		{liveFlags{control: true}, "add --watch 127.0.0.1:0, or leave it out"},
		{liveFlags{open: true}, "--open-to-network speaks of --watch"},
		{liveFlags{metrics: "127.0.0.1:9464"}, ""},
		{liveFlags{metrics: "0.0.0.0:9464"}, "--metrics 0.0.0.0:9464 can be reached from other machines"},
		{liveFlags{metrics: "0.0.0.0:9464", open: true}, ""},
		{liveFlags{otlp: "http://127.0.0.1:4318", otlpDelta: true}, ""},
		{liveFlags{otlp: "127.0.0.1:4318"}, "--otlp: the address of a collector must be a URL"},
		{liveFlags{otlpHeaders: []string{"a=b"}}, "speak of --otlp; add that"},
		{liveFlags{otlpDelta: true}, "speak of --otlp; add that"},
	} {
		err := c.flags.check()
		if c.says == "" {
			assert.NoError(t, err, "%+v", c.flags)
		} else {
			assert.ErrorContains(t, err, c.says, "%+v", c.flags)
		}
	}
}

// TestRunIsStoppedOnItsPage: port 0 tells its address, the page shows the load, and the token in the address ends it as
// an interrupt would: with a report of what was measured, marked partial, and exit code 4.
func TestRunIsStoppedOnItsPage(t *testing.T) {
	t.Parallel()
	c := newChild(t, t.TempDir(), "load", "--workload", "refresh", "--rate", "20/s", "--duration", "60s", "--out", "run", "--watch", "127.0.0.1:0", "--watch-control", "--quiet").start()
	var address, token string
	c.until("the address", func() bool {
		found := regexp.MustCompile(`(?m)^watch: (http://127\.0\.0\.1:[0-9]+/)#stop=([A-Z2-7]{26})$`).FindStringSubmatch(c.stderr.String())
		if found != nil {
			address, token = found[1], found[2]
		}
		return found != nil
	})
	client := &http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	page := func() string {
		answer, err := client.Get(address)
		require.NoError(t, err)
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return string(text)
	}
	c.until("figures", func() bool { return strings.Contains(page(), `<th scope="row">refresh</th>`) })
	answer, err := client.PostForm(address+"stop", url.Values{"token": {token}, "script": {"1"}})
	require.NoError(t, err)
	answer.Body.Close()
	require.Equal(t, http.StatusNoContent, answer.StatusCode)
	assert.Contains(t, []int{exitInconclusive, exitInvalid}, c.code(), c.stderr.String())
	stored, err := runs.Read(filepath.Join(c.Dir, "run"))
	require.NoError(t, err)
	assert.Equal(t, "the run was stopped on its page (--watch-control)", stored.Load.Run.Partial)
	assert.NotContains(t, strings.Join(stored.Load.Run.Command, " "), token)
}

func TestStandingOfShards(t *testing.T) {
	t.Parallel()
	at := standing()
	at.Limits = nil
	w := shards.Whole{Elapsed: at.Elapsed, Left: at.Left, Sum: at, Heard: 1, Shards: []shards.Standing{
		{Index: 1, State: shards.Running, Phase: shards.PhaseRunning, Heard: time.Second, Progress: shards.Progress{Sent: 1200, Rate: 100, P99: 9e6}},
		{Index: 2, State: shards.Pending, Reason: "no node has room", Heard: -1},
	}}
	limits := func(expressions ...string) []limit.Limit {
		parsed, err := limit.ParseAll(expressions)
		require.NoError(t, err)
		return parsed
	}
	shown := standingOf(w, limits("errors<0.1%", "throughput>50/s", "refresh.p99<300ms", "refresh.throttled<1%"))
	assert.Equal(t, "1 of 2 shards heard", shown.Lead)
	assert.Equal(t, []reports.Limit{
		{Expression: "errors<0.1%", Value: "0.42 %", Verdict: reports.Fail},
		{Expression: "throughput>50/s", Value: "99.6/s", Verdict: reports.Pass},
		{Expression: "refresh.p99<300ms", Value: "–", Verdict: reports.Inconclusive},
		{Expression: "refresh.throttled<1%", Value: "0 %", Verdict: reports.Pass},
	}, shown.Sides[0].At.Limits)
	var slow tally.Histogram
	slow.Add(400 * time.Millisecond)
	w.Times = map[string]shards.Times{"refresh": {Response: new(tally.Packer).Pack(&slow)}}
	shown = standingOf(w, limits("refresh.p99<300ms", "p99<900ms", "signon.p99<1s"))
	assert.Equal(t, []reports.Limit{
		{Expression: "refresh.p99<300ms", Value: "400.0 ms", Verdict: reports.Fail},
		{Expression: "p99<900ms", Value: "400.0 ms", Verdict: reports.Pass},
		{Expression: "signon.p99<1s", Value: "–", Verdict: reports.Inconclusive},
	}, shown.Sides[0].At.Limits)
	assert.Equal(t, "pending, no node has room", shown.Shards[1].State)
	assert.False(t, shown.Shards[1].Heard)
	assert.True(t, shown.Shards[0].Heard)

	w.Sum = engine.Progress{} // of shards that nobody connects to
	w.Sent, w.Wrong, w.Rate = 100, 3, 10
	assert.EqualValues(t, 97, standingOf(w, nil).Sides[0].At.Right)
}

func TestHeadersOfOTLPAreChecked(t *testing.T) {
	t.Parallel()
	p := &program{getenv: func(name string) (string, bool) {
		known := map[string]string{"KEY": "a-key-of-some-length", "BROKEN": "two\nlines-of-a-key"}
		value, ok := known[name]
		return value, ok
	}}
	for given, says := range map[string]string{
		"api-key=${KEY}": "", "X-Scope-OrgID=7": "", "Authorization=Bearer ${KEY}": "",
		"api-key=plain": "holds a secret, which process lists and the report would show", "Authorization=Bearer plain": "holds a secret", "x-api-token=${}": "holds a secret",
		"api-key=${MISSING}": "the variable MISSING is not set", "api-key=${BROKEN}": "no line break", "no value": "must be a name and a value", "a b=c": "must be a name and a value", "=x": "must be a name and a value",
	} {
		to, err := p.destination(&ongoing{}, &liveFlags{otlp: "https://otlp.example.com", otlpHeaders: []string{given}})
		if says != "" {
			require.ErrorContains(t, err, says, given)
			assert.NotContains(t, err.Error(), "plain", "what was given is not repeated")
			continue
		}
		require.NoError(t, err, given)
		assert.NotContains(t, fmt.Sprint(to.Header), "${")
	}
	assert.Contains(t, p.withheld, "KEY")
	assert.NotContains(t, p.secrets.Values("a-key-of-some-length"), "a-key-of")
}

// TestLoadOnKubernetesIsWatched: the page and the metrics have what the shards tell of their parts, added up.
func TestLoadOnKubernetesIsWatched(t *testing.T) {
	f, line, out := withCluster(t, "")
	page, scraped := ports.FreeAddress(t), ports.FreeAddress(t)
	line[slices.Index(line, "--duration")+1] = "5s"
	type ended struct {
		code           int
		stdout, stderr string
	}
	over := make(chan ended, 1)
	go func() {
		code, stdout, stderr := f.call(append(line, "--watch", page, "--metrics", scraped, "--limit", "errors<50%")...)
		over <- ended{code, stdout, stderr}
	}()
	client := &http.Client{Timeout: 10 * time.Second}
	t.Cleanup(client.CloseIdleConnections)
	read := func(address string) string {
		answer, err := client.Get("http://" + address)
		if err != nil {
			return ""
		}
		defer answer.Body.Close()
		text, _ := io.ReadAll(answer.Body)
		return string(text)
	}
	seen, counted := "", ""
	said := []string{`<th scope="row">1/3</th><td>running</td>`, `<th scope="row">3/3</th>`, "3 of 3 shards heard", "errors&lt;50%", "kept so far"}
	whole := func(text string) bool {
		return !slices.ContainsFunc(said, func(part string) bool { return !strings.Contains(text, part) })
	}
	for {
		select {
		case e := <-over:
			require.NotEmpty(t, seen, "%s\n%s", e.stdout, e.stderr)
			require.NotEmpty(t, counted)
			assert.Contains(t, e.stderr, "watch: http://"+page+"/\n")
			for _, part := range said {
				assert.Contains(t, seen, part)
			}
			assert.FileExists(t, filepath.Join(out, "load.html"))
			return
		case <-time.After(100 * time.Millisecond):
			if text := read(page + "/"); strings.Contains(text, `<th scope="row">refresh</th>`) && strings.Contains(text, "<span>It runs</span>") && !whole(seen) {
				seen = text
			}
			if text := read(scraped + "/metrics"); strings.Contains(text, `agstest_requests_sent_total{environment="mock",operation="refresh",workload="refresh"} `) {
				counted = text
			}
		}
	}
}
