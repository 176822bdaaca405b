package bench

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/load"
	"agstest/load/clients"
	"agstest/load/engine"
	"agstest/load/schedule"
	"agstest/mock"
	"agstest/reports"
)

// TestSoak runs a mixed load of 1,000/s against the mock, over https, for as long as SOAK says (make soak: 30m), and
// looks every so often at memory, goroutines and open files of both processes. After the first quarter nothing may
// grow.
func TestSoak(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("SOAK"))
	if err != nil {
		t.Skip("set SOAK=30m to run it")
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("it reads /proc, which is not here")
	}
	service := startSoakedMock(t)
	e, err := environment.Parse([]byte(service.Environment), "soak.yaml", t.TempDir(), func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	e.Load.MaxRate, e.Load.Clients.Count = "", 4000+int(length.Seconds()*100) // each sign-on has a session token of its own
	rate, err := schedule.ParseRate("1000/s")
	require.NoError(t, err)

	samples := map[string][]size{}
	at := max(time.Second, length/180)
	next := at
	report, err := load.Run(context.Background(), load.Options{
		Environment: e, Traffic: clients.Traffic{Workload: clients.WorkloadMixed, Mix: map[string]int{"signon": 1, "refresh": 9}}, Rate: rate, Duration: length, Workers: 64,
		Record: t.TempDir(), MaxLag: time.Second, Seed: 5,
		Progress: func(p engine.Progress) {
			if p.Elapsed < next {
				return
			}
			next += at
			generator, mock := sizeOf(t), service.size(t)
			samples["generator"] = append(samples["generator"], generator)
			samples["mock"] = append(samples["mock"], mock)
			t.Logf("%s: generator %s; mock %s", p.Elapsed.Round(time.Second), generator, mock)
		},
	})
	require.NoError(t, err)
	assert.Contains(t, []reports.Verdict{reports.Pass, reports.Invalid}, report.Verdict, "a busy machine may make the figures invalid, and no answer wrong")
	assert.EqualValues(t, length.Seconds()*1000, report.Total.Right)
	for who, all := range samples {
		require.Greater(t, len(all), 15, "too few looks at the %s", who)
		quarter := len(all) / 4
		// The data for judging limits grows to 8 MB and is halved then; memory that is not collected yet may be as much
		// again.
		for _, figure := range []struct {
			what  string
			of    func(size) int
			slack int
		}{
			{"resident KiB", func(s size) int { return s.Resident }, 20 << 10}, {"live heap KiB", func(s size) int { return s.Heap }, 10 << 10},
			{"goroutines", func(s size) int { return s.Goroutines }, 8}, {"open files", func(s size) int { return s.Files }, 8},
		} {
			early, late := medianOf(all[quarter:2*quarter], figure.of), medianOf(all[3*quarter:], figure.of)
			t.Logf("%s, %s: %d in the second quarter, %d in the last", who, figure.what, early, late)
			assert.LessOrEqual(t, late, early+figure.slack, "%s: %s grew", who, figure.what)
		}
	}
}

// size is how large a process is.
type size struct {
	Resident, Heap    int // KiB; Heap is what the last collection left
	Goroutines, Files int
}

func (s size) String() string {
	return fmt.Sprintf("%d MiB resident, %d MiB live, %d goroutines, %d files", s.Resident>>10, s.Heap>>10, s.Goroutines, s.Files)
}

func medianOf(all []size, figure func(size) int) int {
	var values []int
	for _, s := range all {
		values = append(values, figure(s))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func sizeOf(t *testing.T) size {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Error(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	resident, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Error(err)
	}
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Error(err)
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	return size{Resident: resident, Heap: int(live[0].Value.Uint64() >> 10), Goroutines: runtime.NumGoroutine(), Files: len(files)}
}

// soakedMock is the mock in a process of its own, that also tells its size.
type soakedMock struct {
	Environment string `json:"environment"`
	Sizes       string `json:"sizes"` // address
}

func startSoakedMock(t *testing.T) *soakedMock {
	command := exec.Command(os.Args[0], "-test.run=^TestRole$")
	command.Stderr = os.Stderr
	command.Env = append(os.Environ(), role+"=mock", "AGSTEST_BENCH_FOLDER="+t.TempDir())
	in, err := command.StdinPipe()
	require.NoError(t, err)
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		in.Close()
		io.Copy(io.Discard, out)
		assert.NoError(t, command.Wait())
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(t, err)
	m := new(soakedMock)
	require.NoError(t, json.Unmarshal(line, m))
	return m
}

func (m *soakedMock) size(t *testing.T) (s size) {
	response, err := http.Get(m.Sizes)
	if err != nil {
		t.Error(err)
		return s
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&s); err != nil {
		t.Error(err)
	}
	return s
}

// mockRole is the process of the mock.
func mockRole(t *testing.T) {
	authority, err := mock.NewAuthority(time.Now())
	require.NoError(t, err)
	ca := filepath.Join(os.Getenv("AGSTEST_BENCH_FOLDER"), "ca.pem")
	require.NoError(t, os.WriteFile(ca, authority.PEM, 0o600))
	m := mock.New(mock.Config{Seed: 11})
	service, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	sizes, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	answering := &http.Server{Handler: m, TLSConfig: &tls.Config{Certificates: []tls.Certificate{authority.Server}, MinVersion: tls.VersionTLS12}, ErrorLog: log.New(io.Discard, "", 0)}
	telling := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode(sizeOf(t)) })}
	ended := make(chan struct{}, 2)
	go func() { answering.ServeTLS(service, "", ""); ended <- struct{}{} }()
	go func() { telling.Serve(sizes); ended <- struct{}{} }()
	json.NewEncoder(os.Stdout).Encode(soakedMock{string(m.Environment("https://"+service.Addr().String(), "", ca)), "http://" + sizes.Addr().String()})
	var end [1]byte
	os.Stdin.Read(end[:])
	answering.Close()
	telling.Close()
	<-ended
	<-ended
}
