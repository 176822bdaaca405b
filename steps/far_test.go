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

// distance carries connections to a service and lets every byte be under way for a time, each way, as to a service far
// off.
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

// carry reads data as it comes, and writes each part when its time under way is over.
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

// TestConcurrencyChangesNoVerdict: scenarios that would meet on a live service run one after the other, so that it
// makes no difference how many may run at the same time. A session of a device may end when the device signs on again.
func TestConcurrencyChangesNoVerdict(t *testing.T) {
	for _, name := range []string{"", "one-session-a-device", "one-device-an-account", "one-session-token-an-account", "sign-out-unregisters"} {
		t.Run(cmpName(name), func(t *testing.T) {
			t.Parallel() // it waits for a service that is far away
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
				o.Timeout = 30 * time.Second // a busy machine is no service that is silent
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

// farAway is how long every byte is under way, each way, to the service of the benchmark, and near to that of the
// comparison of verdicts.
const (
	farAway = 25 * time.Millisecond
	near    = 2 * time.Millisecond
)

// BenchmarkFar compares the suite with an earlier version of it, on a service that is 25 ms away each way, and tells of
// the longest chain of scenarios: "make far". Both take turns for FAR_ROUNDS rounds (3), and the figures are medians.
// It then compares the verdicts of FAR_RUNS runs (20) of the default, of requirements and of scenarios, with those of
// one scenario after the other.
func BenchmarkFar(b *testing.B) {
	folder := b.TempDir()
	now, then := filepath.Join(folder, "now"), filepath.Join(folder, "then")
	command(b, "..", nil, "go", "build", "-o", now, "./cmd/agstest")
	old := filepath.Join(folder, "source")
	require.NoError(b, os.Mkdir(old, 0o700))
	archive := command(b, "..", nil, "git", "archive", "--format=tar", beforeClaims)
	command(b, old, archive, "tar", "x")
	command(b, old, nil, "go", "build", "-o", then, "./cmd/agstest")
	services := map[string]string{now: liveMock(b, now, farAway), then: liveMock(b, then, farAway)}
	beside := liveMock(b, now, near)
	for range b.N {
		ways := []struct {
			name, binary string
			args         []string
		}{{beforeClaims, then, nil}, {"now", now, nil}, {"now, without waiting", now, []string{"--patience", "0s"}}}
		took, exchanges := map[string][]float64{}, map[string]int{}
		var last outcome
		for range rounds("FAR_ROUNDS", 3) {
			for _, way := range ways {
				begin := time.Now()
				o := conform(b, way.binary, services[way.binary], way.args...)
				took[way.name] = append(took[way.name], time.Since(begin).Seconds())
				exchanges[way.name] = o.exchanges
				if way.name == "now" {
					last = o
				}
			}
		}
		base := median(took[beforeClaims])
		for _, way := range ways {
			seconds := median(took[way.name])
			b.Logf("%-22s %6.2f s, 1/%.1f of the time of %s, %d exchanges", way.name, seconds, base/seconds, beforeClaims, exchanges[way.name])
		}
		b.Logf("the longest chain:\n%s", last.chain())
		b.ReportMetric(base/median(took["now"]), "times-faster")
		b.ReportMetric(base/median(took["now, without waiting"]), "times-faster-without-waiting")
		compareVerdicts(b, now, beside)
	}
}

// compareVerdicts holds runs of the default against one of one scenario after the other.
func compareVerdicts(b *testing.B, binary, service string) {
	kept := conform(b, binary, service, "--concurrency", "1").verdicts
	same, runs := 0, rounds("FAR_RUNS", 20)
	for range runs {
		verdicts := conform(b, binary, service).verdicts
		if maps.Equal(kept, verdicts) {
			same++
			continue
		}
		for _, id := range slices.Sorted(maps.Keys(kept)) {
			if kept[id] != verdicts[id] {
				b.Logf("%s: %s one after the other, %s by default", id, kept[id], verdicts[id])
			}
		}
	}
	b.Logf("all %d verdicts the same as one after the other: %d times of %d", len(kept), same, runs)
	b.ReportMetric(float64(same)/float64(runs), "same-verdicts")
	assert.Equal(b, runs, same)
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

// liveMock starts the mock of a binary without its control interface, and gives an environment file that reaches it
// through a relay.
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

// outcome is the result of a run.
type outcome struct {
	verdicts  map[string]string // of the run, of requirements and of scenarios
	exchanges int
	scenarios []played
}

// played is when a scenario began and how long it took.
type played struct {
	ID, Name, Verdict string
	Start             time.Time
	Nanoseconds       time.Duration
}

func (p played) end() time.Time { return p.Start.Add(p.Nanoseconds) }

// conform runs the suite.
func conform(tb testing.TB, binary, file string, args ...string) outcome {
	tb.Helper()
	out := filepath.Join(tb.TempDir(), "run")
	c := exec.Command(binary, append([]string{"conform", "--env", file, "--out", out, "--seed", "7", "-q"}, args...)...)
	said, _ := c.CombinedOutput() // only the verdict counts
	text, err := os.ReadFile(filepath.Join(out, "conformance.json"))
	require.NoError(tb, err, string(said))
	var report struct {
		Verdict      string
		Requirements []struct{ ID, Verdict string }
		Scenarios    []played
		Counts       struct{ Exchanges int }
	}
	require.NoError(tb, json.Unmarshal(text, &report))
	o := outcome{verdicts: map[string]string{"run": report.Verdict}, exchanges: report.Counts.Exchanges}
	for _, q := range report.Requirements {
		o.verdicts[q.ID] = q.Verdict
	}
	for _, s := range report.Scenarios {
		o.verdicts["scenario "+s.ID] = s.Verdict
		if !s.Start.IsZero() {
			o.scenarios = append(o.scenarios, s)
		}
	}
	return o
}

// chain says which scenarios stand on the way to the end of a run: each began when the one before it had ended.
func (o outcome) chain() string {
	const atOnce = 5 * time.Millisecond
	slices.SortFunc(o.scenarios, func(a, b played) int { return a.end().Compare(b.end()) })
	first := slices.MinFunc(o.scenarios, func(a, b played) int { return a.Start.Compare(b.Start) }).Start
	var lines []string
	before := time.Time{}
	for _, s := range slices.Backward(o.scenarios) {
		if !before.IsZero() && s.end().After(before.Add(atOnce)) || s.Nanoseconds < atOnce {
			continue
		}
		before = s.Start
		lines = append(lines, fmt.Sprintf("%6.2f s +%5.2f s  %s", s.Start.Sub(first).Seconds(), s.Nanoseconds.Seconds(), s.Name))
	}
	slices.Reverse(lines)
	return strings.Join(lines, "\n")
}
