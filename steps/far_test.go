package steps_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// distance carries connections to a service and lets every byte be under way for a time, each way, as to a service far off.
type distance struct {
	listener net.Listener
	to       string
	delay    time.Duration
	all      sync.WaitGroup
	mu       sync.Mutex
	open     map[net.Conn]bool
}

func newDistance(tb testing.TB, to string, delay time.Duration) *distance {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	r := &distance{listener: listener, to: to, delay: delay, open: map[net.Conn]bool{}}
	r.all.Go(r.serve)
	tb.Cleanup(func() {
		listener.Close()
		r.mu.Lock()
		for c := range r.open {
			c.Close()
		}
		r.mu.Unlock()
		r.all.Wait()
	})
	return r
}

func (r *distance) keep(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open[c] = true
}

func (r *distance) serve() {
	for {
		near, err := r.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", r.to)
		if err != nil {
			near.Close()
			continue
		}
		r.keep(near)
		r.keep(far)
		r.all.Go(func() { r.carry(far, near) })
		r.all.Go(func() { r.carry(near, far) })
	}
}

// carry reads as it comes, and writes each part when its time under way is over.
func (r *distance) carry(to, from net.Conn) {
	type part struct {
		due  time.Time
		data []byte
	}
	parts := make(chan part, 4096)
	r.all.Go(func() {
		defer to.Close()
		for p := range parts {
			time.Sleep(time.Until(p.due))
			if _, err := to.Write(p.data); err != nil {
				from.Close()
				for range parts { // until the reader has seen it
				}
				return
			}
		}
	})
	defer close(parts)
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			parts <- part{time.Now().Add(r.delay), bytes.Clone(buffer[:n])}
		}
		if err != nil {
			return
		}
	}
}

// through gives an environment whose service is reached through a relay.
func through(tb testing.TB, e *environment.Environment, delay time.Duration) *environment.Environment {
	address, err := url.Parse(e.URL)
	require.NoError(tb, err)
	address.Host = newDistance(tb, address.Host, delay).listener.Addr().String()
	e.URL = address.String()
	return e
}

func everyVerdict(report *reports.Conformance) map[string]string {
	all := map[string]string{"run": string(report.Verdict)}
	for _, q := range report.Requirements {
		all[q.ID] = string(q.Verdict)
	}
	return all
}

// TestConcurrencyChangesNoVerdict: scenarios that would meet on a live service run one after the other, so that it makes no difference how many may
// run at the same time. A session of a device may end when the device signs on again.
func TestConcurrencyChangesNoVerdict(t *testing.T) {
	for _, name := range []string{"", "one-session-a-device", "sign-out-unregisters"} {
		t.Run(cmpName(name), func(t *testing.T) {
			t.Parallel()
			var before map[string]string
			for _, concurrency := range []int{1, 0} {
				var config mock.Config
				if c, has := mock.ChoiceByName(name); has {
					config.Choices = []mock.Choice{c}
				} else {
					require.Empty(t, name)
				}
				e, end, err := started(config, itself)
				require.NoError(t, err)
				e.Mock = nil
				o := quick
				o.Environment, o.Concurrency, o.Patience, o.Retry, o.Seed = through(t, e, time.Millisecond), concurrency, 0, 2, 5
				report, err := steps.Run(context.Background(), o)
				end()
				require.NoError(t, err)
				after := everyVerdict(report)
				if before != nil {
					assert.Equal(t, before, after, "with another concurrency")
				}
				assert.Equal(t, "pass", after["run"], report.Reason)
				for _, s := range report.Scenarios {
					if s.Verdict == reports.Fail || s.Verdict == reports.Error {
						t.Errorf("with concurrency %d: %s is %s: %s", concurrency, s.Name, s.Verdict, s.Reason)
					}
				}
				before = after
			}
		})
	}
}

func cmpName(name string) string {
	if name == "" {
		return "plain"
	}
	return name
}

// beforeClaims is the last commit whose scenarios ran one after the other on a live service.
const beforeClaims = "740014f"

// BenchmarkFar compares the suite with itself as it was, on a service that is 25 ms away each way: "make far". Rounds are interleaved, and the figures are
// medians. It then compares the verdicts of FAR_RUNS runs (20) of the default with those of one scenario after the other.
func BenchmarkFar(b *testing.B) {
	const delay = 25 * time.Millisecond
	folder := b.TempDir()
	now, then := filepath.Join(folder, "now"), filepath.Join(folder, "then")
	command(b, "..", nil, "go", "build", "-o", now, "./cmd/agstest")
	old := filepath.Join(folder, "source")
	require.NoError(b, os.Mkdir(old, 0o700))
	archive := command(b, "..", nil, "git", "archive", "--format=tar", beforeClaims)
	command(b, old, archive, "tar", "x")
	command(b, old, nil, "go", "build", "-o", then, "./cmd/agstest")

	services := map[string]string{}
	for _, binary := range []string{now, then} {
		services[binary] = liveMock(b, binary, delay)
	}
	for range b.N {
		took := map[string][]float64{}
		var kept map[string]string
		for range rounds("FAR_ROUNDS", 3) {
			for _, way := range []struct {
				name, binary string
				args         []string
			}{
				{"then", then, nil}, {"now, without waiting", now, []string{"--patience", "0s"}}, {"now", now, nil}, {"now, one after the other", now, []string{"--concurrency", "1"}},
			} {
				begin := time.Now()
				verdicts := conform(b, way.binary, services[way.binary], way.args...)
				took[way.name] = append(took[way.name], time.Since(begin).Seconds())
				if way.name == "now, one after the other" {
					kept = verdicts
				}
			}
		}
		base := median(took["then"])
		for _, name := range slices.Sorted(maps.Keys(took)) {
			b.Logf("%-26s %6.2f s, 1/%.1f of %s", name, median(took[name]), base/median(took[name]), beforeClaims)
		}
		b.ReportMetric(base/median(took["now"]), "times-faster")
		b.ReportMetric(base/median(took["now, without waiting"]), "times-faster-without-waiting")
		same, runs := 0, rounds("FAR_RUNS", 20)
		for range runs {
			if verdicts := conform(b, now, services[now]); maps.Equal(kept, verdicts) {
				same++
			} else {
				for _, id := range slices.Sorted(maps.Keys(kept)) {
					if kept[id] != verdicts[id] {
						b.Logf("%s: %s one after the other, %s by default", id, kept[id], verdicts[id])
					}
				}
			}
		}
		b.Logf("the same verdicts as one after the other: %d of %d", same, runs)
		b.ReportMetric(float64(same)/float64(runs), "same-verdicts")
	}
}

func rounds(name string, usual int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return usual
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func command(tb testing.TB, folder string, in []byte, name string, args ...string) []byte {
	tb.Helper()
	c := exec.Command(name, args...)
	c.Dir, c.Stdin = folder, bytes.NewReader(in)
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	require.NoError(tb, c.Run(), "%s %s: %s", name, strings.Join(args, " "), said.String())
	return out.Bytes()
}

var urlLine = regexp.MustCompile(`(?m)^url: "?http://([^"\s]+)"?$`)

// liveMock starts the mock of a binary without its control interface, and gives an environment file that reaches it through a relay.
func liveMock(tb testing.TB, binary string, delay time.Duration) string {
	folder := tb.TempDir()
	path := filepath.Join(folder, "mock.yaml")
	server := exec.Command(binary, "mock", "--listen", "127.0.0.1:0", "--environment", path, "-q")
	require.NoError(tb, server.Start())
	tb.Cleanup(func() {
		_ = server.Process.Signal(os.Interrupt)
		_ = server.Wait()
	})
	var text []byte
	require.Eventually(tb, func() bool {
		text, _ = os.ReadFile(path)
		return bytes.Contains(text, []byte("\nload:"))
	}, 20*time.Second, 20*time.Millisecond)
	at := urlLine.FindSubmatch(text)
	require.NotNil(tb, at, string(text[:200]))
	text = bytes.ReplaceAll(text, at[1], []byte(newDistance(tb, string(at[1]), delay).listener.Addr().String()))
	far := filepath.Join(folder, "far.yaml")
	require.NoError(tb, os.WriteFile(far, text, 0o600))
	return far
}

// conform runs the suite and gives the verdicts.
func conform(tb testing.TB, binary, file string, args ...string) map[string]string {
	tb.Helper()
	out := filepath.Join(tb.TempDir(), "run")
	c := exec.Command(binary, append([]string{"conform", "--env", file, "--out", out, "--seed", "7", "-q"}, args...)...)
	said, _ := c.CombinedOutput() // the verdict is what counts
	text, err := os.ReadFile(filepath.Join(out, "conformance.json"))
	require.NoError(tb, err, string(said))
	var report struct {
		Verdict      string
		Requirements []struct{ ID, Verdict string }
		Counts       struct{ Exchanges int }
	}
	require.NoError(tb, json.Unmarshal(text, &report))
	verdicts := map[string]string{"run": report.Verdict}
	for _, q := range report.Requirements {
		verdicts[q.ID] = q.Verdict
	}
	tb.Log(fmt.Sprint(filepath.Base(binary), " ", strings.Join(args, " "), ": ", report.Verdict, ", ", report.Counts.Exchanges, " exchanges"))
	return verdicts
}
