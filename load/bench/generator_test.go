package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"agstest/internal/environment"
	"agstest/load"
	"agstest/load/clients"
	"agstest/load/schedule"
	"agstest/reports"
)

const role = "AGSTEST_BENCH_ROLE"

// TestMain plays the part of another process when it is asked to.
func TestMain(m *testing.M) { os.Exit(m.Run()) }

// TestRole is not a test: the processes of the benchmarks begin here.
func TestRole(t *testing.T) {
	switch os.Getenv(role) {
	case "service":
		serveRole(t)
	case "generator":
		generateRole(t)
	case "mock":
		mockRole(t)
	case "floor":
		floorRole(t)
	case "loop":
		loopRole(t)
	default:
		t.Skip("the benchmarks run this in processes of their own")
	}
}

// question is what the process of the generator is asked to do.
type question struct {
	Environment string
	Rate        string
	Seconds     float64
	Workers     int
	Clients     int
	Record      string
}

// outcome is what it tells.
type outcome struct {
	Report      *reports.Load
	Allocations float64 // of a hit
}

func generateRole(t *testing.T) {
	var q question
	if err := json.NewDecoder(os.Stdin).Decode(&q); err != nil {
		t.Fatal(err)
	}
	e, err := environment.Parse([]byte(q.Environment), "bench.yaml", t.TempDir(), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	e.Load.MaxRate, e.Load.Clients.Count = "", max(q.Clients, e.Load.Clients.Count)
	rate, err := schedule.ParseRate(q.Rate)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	report, err := load.Run(context.Background(), load.Options{
		Environment: e, Traffic: clients.Traffic{Workload: clients.WorkloadRefresh, Clients: q.Clients}, Rate: rate, Duration: time.Duration(q.Seconds * float64(time.Second)),
		Workers: q.Workers, Record: q.Record,
	})
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	report.Seconds = nil
	if report.Total.Sent == 0 {
		t.Fatalf("nothing was sent: %v", report.Invalid)
	}
	if err := json.NewEncoder(os.Stdout).Encode(outcome{report, float64(after.Mallocs-before.Mallocs) / float64(report.Total.Sent)}); err != nil {
		t.Fatal(err)
	}
}

// pinned runs a command on one core where there is taskset.
func pinned(core int, name string, args ...string) *exec.Cmd {
	if path, err := exec.LookPath("taskset"); err == nil && runtime.NumCPU() > 1 {
		args = append([]string{"-c", strconv.Itoa(core), name}, args...)
		name = path
	}
	command := exec.Command(name, args...)
	command.Stderr = os.Stderr
	return command
}

// running is a service in a process of its own, on core 0.
type running struct {
	URL         string `json:"url"`
	Environment string `json:"environment"`
	Tells       string `json:"tells"`     // address of what it counted
	Authority   string `json:"authority"` // file of its certificate authority; empty: it speaks http
}

func startService(b *testing.B, settings ...string) *running {
	b.Helper()
	command := pinned(0, os.Args[0], "-test.run=^TestRole$")
	command.Env = append(append(os.Environ(), role+"=service"), settings...)
	in, err := command.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		io.Copy(io.Discard, out)
		command.Wait()
	})
	var r running
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil || json.Unmarshal(line, &r) != nil {
		b.Fatalf("the service did not start: %v %q", err, line)
	}
	return &r
}

func (r *running) get(b *testing.B, path string) []byte {
	b.Helper()
	response, err := http.Get(r.Tells + path)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.Fatal(err)
	}
	return body
}

// client trusts the service.
func (r *running) client(b *testing.B) *http.Client {
	b.Helper()
	if r.Authority == "" {
		return http.DefaultClient
	}
	text, err := os.ReadFile(r.Authority)
	if err != nil {
		b.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
}

// cost is what a process used.
type cost struct {
	cpu      time.Duration
	resident int64 // bytes at most
}

func costOf(command *exec.Cmd) cost {
	ended := command.ProcessState
	return cost{cpu: ended.UserTime() + ended.SystemTime(), resident: mostResident(ended)}
}

// generate runs our generator, on core 1 or on all.
func generate(b *testing.B, q question, onOneCore bool) (outcome, cost) {
	b.Helper()
	command := exec.Command(os.Args[0], "-test.run=^TestRole$")
	if onOneCore {
		command = pinned(1, os.Args[0], "-test.run=^TestRole$")
	}
	command.Stderr = os.Stderr
	command.Env = append(os.Environ(), role+"=generator")
	text, err := json.Marshal(q)
	if err != nil {
		b.Fatal(err)
	}
	command.Stdin = bytes.NewReader(text)
	out, err := command.Output()
	if err != nil {
		b.Fatalf("the generator failed: %v\n%s", err, out)
	}
	var o outcome
	if err := json.Unmarshal([]byte(strings.SplitN(string(out), "\n", 2)[0]), &o); err != nil {
		b.Fatalf("the generator said %q: %v", out, err)
	}
	return o, costOf(command)
}

func milliseconds(ns int64) string { return fmt.Sprintf("%.1f ms", float64(ns)/1e6) }
