package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/ports"
	"agstest/reports/runs"
)

// TestPrometheusScrapesARun lets a real Prometheus scrape a load to its end, and asks it for what the report says:
// counts of each operation, means and percentiles of the native histograms.
func TestPrometheusScrapesARun(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("skipped: no prometheus on this machine (Debian: apt-get install prometheus)")
	}
	folder := t.TempDir()
	run, server := ports.FreeAddress(t), ports.FreeAddress(t)
	config := filepath.Join(folder, "prometheus.yml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, "global: {scrape_interval: 500ms, scrape_timeout: 400ms}\nscrape_configs: [{job_name: agstest, static_configs: [{targets: ['%s']}]}]\n", run), 0o600))
	prometheus := exec.Command(program, "--config.file", config, "--storage.tsdb.path", filepath.Join(folder, "data"), "--web.listen-address", server, "--enable-feature=native-histograms", "--log.level=warn")
	var said lockedBuffer
	prometheus.Stdout, prometheus.Stderr = &said, &said
	require.NoError(t, prometheus.Start())
	t.Cleanup(func() {
		_ = prometheus.Process.Signal(syscall.SIGTERM)
		_ = prometheus.Wait()
	})
	client := &http.Client{Timeout: 5 * time.Second}
	t.Cleanup(client.CloseIdleConnections)
	require.Eventually(t, func() bool {
		answer, err := client.Get("http://" + server + "/api/v1/targets")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		return err == nil && strings.Contains(string(text), `"scrapePool":"agstest"`) // it looks for what to scrape every five seconds
	}, longest, 20*time.Millisecond, "prometheus scrapes")

	type result struct {
		Metric map[string]string
		Value  [2]any
		Values [][2]any
	}
	query := func(values url.Values) []result {
		answer, err := client.Get("http://" + server + "/api/v1/query?" + values.Encode())
		require.NoError(t, err)
		defer answer.Body.Close()
		var found struct{ Data struct{ Result []result } }
		require.NoError(t, json.NewDecoder(answer.Body).Decode(&found))
		return found.Data.Result
	}
	var stored *runs.Stored
	last := "" // when it was scraped last; after that the run was gone
	for try := 1; ; try++ {
		c := newChild(t, t.TempDir(), "load", "--rate", "50/s", "--duration", "3s", "--max-lag", "10s", "--out", "run", "--metrics", run, "--limit", "errors<50%").start()
		assert.Contains(t, []int{exitPass, exitInvalid, exitInconclusive}, c.code(), c.stderr.String())
		assert.Contains(t, c.stderr.String(), "metrics: http://"+run+"/metrics\n")
		read, err := runs.Read(filepath.Join(c.Dir, "run"))
		require.NoError(t, err)
		stored = &read
		samples := query(url.Values{"query": {"agstest_requests_due_total[5m]"}})
		require.NotEmpty(t, samples)
		at, isNumber := samples[0].Values[len(samples[0].Values)-1][0].(float64)
		require.True(t, isNumber)
		last = fmt.Sprint(samples[0].Values[len(samples[0].Values)-1][0])
		if at*1e9 >= float64(stored.Load.Run.End.UnixNano()) || try == 5 {
			break // and Prometheus was not kept from its last scrape for longer than the run waits
		}
	}
	ask := func(text string) map[string]float64 {
		values := map[string]float64{}
		for _, r := range query(url.Values{"query": {text}, "time": {last}}) {
			value, err := strconv.ParseFloat(fmt.Sprint(r.Value[1]), 64)
			require.NoError(t, err)
			values[r.Metric["operation"]] = value
		}
		return values
	}
	for name, o := range stored.Load.Operations {
		assert.EqualValues(t, o.Sent, ask(`agstest_requests_sent_total{environment="mock",workload="mixed"}`)[name], name)
		assert.EqualValues(t, o.Right, ask("agstest_requests_right_total")[name], name)
		near := func(query string, want int64, share float64) {
			seconds := float64(want) / 1e9
			assert.InDelta(t, seconds, ask(query)[name], share*seconds, "%s of %s", query, name)
		}
		// One bucket is 9 % wide, and Prometheus may interpolate to either end; ranks of few answers differ by one.
		assert.EqualValues(t, o.Right, ask("histogram_count(agstest_response_time_seconds)")[name], "the native form is what it took: %s", name)
		near("histogram_sum(agstest_response_time_seconds) / histogram_count(agstest_response_time_seconds)", o.Response.Mean, 0.01)
		if o.Right >= 100 {
			near("histogram_quantile(0.5, agstest_response_time_seconds)", o.Response.P50, 0.25)
		}
	}
}

// TestOTLPIsSent: a collector gets the figures with the header of a variable, which no file and no stream tells; one
// that refuses is told of once, and the run has its own exit code.
func TestOTLPIsSent(t *testing.T) {
	t.Parallel()
	var got atomic.Int64
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/metrics" || r.Header.Get("api-key") != "a-key-that-nobody-may-see" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		got.Add(1)
	}))
	t.Cleanup(collector.Close)
	for _, key := range []string{"a-key-that-nobody-may-see", "another-key-to-be-refused"} {
		c := newChild(t, t.TempDir(), "load", "--workload", "refresh", "--rate", "20/s", "--duration", "1s", "--max-lag", "10s", "--out", "run", "--otlp", collector.URL, "--otlp-header", "api-key=${COLLECTOR_KEY}")
		c.Env = append(c.Env, "COLLECTOR_KEY="+key)
		c.start()
		assert.Contains(t, []int{exitPass, exitInvalid}, c.code(), c.stderr.String())
		const refused = "the final metrics did not reach "
		assert.Equal(t, strings.HasPrefix(key, "another"), strings.Contains(c.stderr.String(), "agstest: warning: --otlp: "+refused+collector.URL+"/v1/metrics: it answered 401 Unauthorized"), c.stderr.String())
		assert.LessOrEqual(t, strings.Count(c.stderr.String(), refused), 1)
		assert.NotContains(t, c.stderr.String()+c.stdout.String(), key)
		entries, err := os.ReadDir(filepath.Join(c.Dir, "run"))
		require.NoError(t, err)
		for _, e := range entries {
			text, err := os.ReadFile(filepath.Join(c.Dir, "run", e.Name()))
			if err == nil {
				assert.NotContains(t, string(text), key, e.Name())
			}
		}
	}
	assert.EqualValues(t, 1, got.Load())
}
