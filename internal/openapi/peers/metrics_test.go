package peers_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/export"
)

// metricsOf are the two files of a gate in an environment.
func metricsOf(t *testing.T, environment string) (prometheus, openMetrics []byte) {
	t.Helper()
	file, err := os.Open("../../../reports/testdata/load.json")
	require.NoError(t, err)
	defer file.Close()
	l, err := reports.ReadLoad(file)
	require.NoError(t, err)
	file, err = os.Open("../../../reports/testdata/conformance.json")
	require.NoError(t, err)
	defer file.Close()
	c, err := reports.ReadConformance(file)
	require.NoError(t, err)
	c.Run.Environment, l.Run.Environment = environment, environment
	var prom, open bytes.Buffer
	require.NoError(t, export.Prometheus(&prom, c, l))
	require.NoError(t, export.OpenMetrics(&open, c, l))
	return prom.Bytes(), open.Bytes()
}

var sampleLine = regexp.MustCompile(`(?m)^[a-z_]+(\{.*\})? \S+$`)

// TestPromtoolTakesTheMetrics: promtool check metrics has nothing to say, and does say it of what is wrong.
func TestPromtoolTakesTheMetrics(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("skipped: no promtool on this machine (Debian: the package prometheus)")
	}
	prom, _ := metricsOf(t, "staging")
	check := func(text []byte) (string, error) {
		command := exec.CommandContext(t.Context(), promtool, "check", "metrics")
		command.Stdin = bytes.NewReader(text)
		out, err := command.CombinedOutput()
		return string(out), err
	}
	out, err := check(prom)
	require.NoError(t, err, out)
	require.Empty(t, out)
	out, err = check([]byte("# HELP a_total A.\n# TYPE a_total gauge\na_total 1\n"))
	require.Error(t, err, out)
}

// TestNodeExporterShowsEveryEnvironment: the textfile collector takes the files of two environments beside each other
// and shows every sample of both.
func TestNodeExporterShowsEveryEnvironment(t *testing.T) {
	exporter, err := exec.LookPath("prometheus-node-exporter")
	if err != nil {
		if exporter, err = exec.LookPath("node_exporter"); err != nil {
			t.Skip("skipped: no node_exporter on this machine (Debian: the package prometheus-node-exporter)")
		}
	}
	folder, want := t.TempDir(), 0
	for _, environment := range []string{"staging", "production"} {
		prom, _ := metricsOf(t, environment)
		want += len(sampleLine.FindAll(prom, -1))
		require.NoError(t, os.WriteFile(filepath.Join(folder, environment+".prom"), prom, 0o600))
	}
	require.Greater(t, want, 100)
	at := listening(t, exec.Command(exporter, "--collector.disable-defaults", "--collector.textfile", "--collector.textfile.directory="+folder, "--web.disable-exporter-metrics", "--web.listen-address=127.0.0.1:0"))
	text := exchange(t, http.MethodGet, "http://"+at+"/metrics", nil)
	assert.Contains(t, text, "node_textfile_scrape_error 0")
	shown := 0
	for _, line := range sampleLine.FindAllString(text, -1) {
		if strings.HasPrefix(line, "agstest_") {
			shown++
		}
	}
	assert.Equal(t, want, shown, "samples of both environments")
}

// TestPushgatewayKeepsEveryEnvironment: what two environments push stands there beside each other, every sample of
// both.
func TestPushgatewayKeepsEveryEnvironment(t *testing.T) {
	gateway, err := exec.LookPath("prometheus-pushgateway")
	if err != nil {
		if gateway, err = exec.LookPath("pushgateway"); err != nil {
			t.Skip("skipped: no Pushgateway on this machine (Debian: the package prometheus-pushgateway)")
		}
	}
	at := listening(t, exec.Command(gateway, "--web.listen-address=127.0.0.1:0", "--persistence.file="))
	want := 0
	for _, environment := range []string{"staging", "production"} {
		prom, _ := metricsOf(t, environment)
		want += len(sampleLine.FindAll(prom, -1))
		exchange(t, http.MethodPut, "http://"+at+"/metrics/job/agstest/of/"+environment, prom)
	}
	shown := 0
	for _, line := range sampleLine.FindAllString(exchange(t, http.MethodGet, "http://"+at+"/metrics", nil), -1) {
		if strings.HasPrefix(line, "agstest_") {
			shown++
		}
	}
	assert.Equal(t, want, shown, "samples of both environments")
}

// listening starts a server that logs the free port it took, and gives its address.
func listening(t *testing.T, command *exec.Cmd) string {
	t.Helper()
	said, err := command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	address := make(chan string, 1)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		defer close(address)
		lines := bufio.NewScanner(said)
		for lines.Scan() {
			if m := regexp.MustCompile(`[Ll]istening on.*address=(127\.0\.0\.1:\d+)`).FindStringSubmatch(lines.Text()); m != nil {
				address <- m[1]
				break
			}
		}
		_, _ = io.Copy(io.Discard, said)
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		<-drained
		_ = command.Wait()
	})
	select {
	case at := <-address:
		require.NotEmpty(t, at, "%s says where it listens", command.Path)
		return at
	case <-time.After(30 * time.Second):
		t.Fatalf("%s does not say where it listens", command.Path)
		return ""
	}
}

// exchange sends a request, wants success, and gives the body of the answer.
func exchange(t *testing.T, method, address string, body []byte) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Less(t, answer.StatusCode, 300, "%s", text)
	return string(text)
}

// textparse reads a file of metrics with Prometheus' own parser and prints how many samples it holds.
const textparse = `package main

import (
	"fmt"
	"io"
	"os"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

func main() {
	text, err := os.ReadFile(os.Args[2])
	if err != nil {
		panic(err)
	}
	p, err := textparse.New(text, os.Args[1], labels.NewSymbolTable(), textparse.ParserOptions{})
	if err != nil {
		panic(err)
	}
	for samples := 0; ; {
		entry, err := p.Next()
		if err == io.EOF {
			fmt.Print(samples)
			return
		}
		if err != nil {
			panic(err)
		}
		if entry == textparse.EntrySeries {
			samples++
		}
	}
}
`

// TestPrometheus3ReadsTheMetrics: the parser of Prometheus 3.16, which wants the type that an answer bears, reads every
// sample of both forms.
func TestPrometheus3ReadsTheMetrics(t *testing.T) {
	wide(t)
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "main.go"), []byte(textparse), 0o600))
	goes := inModule(t, folder, "github.com/prometheus/prometheus@v0.316.0")
	prom, open := metricsOf(t, "staging")
	for kind, text := range map[string][]byte{"text/plain; version=0.0.4": prom, "application/openmetrics-text; version=1.0.0": open} {
		path := filepath.Join(folder, "metrics")
		require.NoError(t, os.WriteFile(path, text, 0o600))
		assert.Equal(t, strconv.Itoa(len(sampleLine.FindAll(text, -1))), goes("run", ".", kind, path), kind)
	}
}
