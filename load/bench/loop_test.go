package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"agstest/internal/environment"
	"agstest/load"
	"agstest/load/clients"
	"agstest/load/hit"
	"agstest/load/schedule"
	"agstest/load/tally"
	"agstest/load/transport"
)

// BenchmarkOwnLoop is what a loop of our own in the place of Vegeta's would bring: the same clients, transport and
// tally, workers that ask Vegeta's Pacer and make Vegeta's Result, and no net/http between them. It runs in turns with
// the generator as it is. AGSTEST_BENCH_ENCODE=1 encodes each result too. "of-ours" is the CPU of its hit as a share of
// that of ours.
func BenchmarkOwnLoop(b *testing.B) {
	for _, way := range []string{plainHTTP, overTLS} {
		b.Run(way, func(b *testing.B) {
			s := startService(b, "AGSTEST_BENCH_WAY="+way, "AGSTEST_BENCH_FOLDER="+b.TempDir())
			for range b.N {
				figures := map[string][]float64{}
				for range rounds {
					q := question{Environment: s.Environment, Rate: "max", Seconds: 5, Workers: 64, Clients: 256, Record: b.TempDir()}
					o, _ := generate(b, q, true)
					figures["agstest"] = append(figures["agstest"], o.Report.Generator.CPUSeconds*1e6/float64(o.Report.Total.Sent))
					figures["loop"] = append(figures["loop"], loopAlone(b, &q))
				}
				b.ReportMetric(median(figures["agstest"]), "agstest-µs/hit")
				b.ReportMetric(median(figures["loop"]), "loop-µs/hit")
				b.ReportMetric(median(figures["loop"])/median(figures["agstest"]), "of-ours")
			}
		})
	}
}

// loopAlone runs the loop in a process of its own, and gives the microseconds of CPU of a hit.
func loopAlone(b *testing.B, q *question) float64 {
	b.Helper()
	command := pinned(1, os.Args[0], "-test.run=^TestRole$")
	command.Env = append(os.Environ(), role+"=loop")
	text, err := json.Marshal(q)
	if err != nil {
		b.Fatal(err)
	}
	command.Stdin = bytes.NewReader(text)
	out, err := command.Output()
	var o floorOutcome
	if err != nil || json.Unmarshal([]byte(strings.SplitN(string(out), "\n", 2)[0]), &o) != nil || o.Hits == 0 {
		b.Fatalf("the loop failed: %v\n%s", err, out)
	}
	return o.CPU.Seconds() * 1e6 / float64(o.Hits)
}

// loop is a closed loop of our own.
type loop struct {
	began   time.Time
	pacer   vegeta.Pacer
	crowd   *clients.Crowd
	carrier transport.Carrier
	tally   *tally.Tally

	mu   sync.Mutex // guards what follows
	hits uint64
}

// next numbers the next hit; false: there is none.
func (l *loop) next() (seq uint64, due time.Time, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	due = time.Now()
	if _, stop := l.pacer.Pace(due.Sub(l.began), l.hits); stop {
		return 0, due, false
	}
	l.hits++
	return l.hits - 1, due, true
}

func (l *loop) work(t *testing.T) {
	var request hit.Request
	var answer hit.Answer
	var phases hit.Phases
	encoder, encodes := vegeta.NewEncoder(io.Discard), os.Getenv("AGSTEST_BENCH_ENCODE") != ""
	for {
		seq, due, more := l.next()
		if !more {
			return
		}
		if !l.crowd.Begin(seq, &request) {
			t.Error("no client was free")
			return
		}
		answer, phases = hit.Answer{Sent: time.Now()}, hit.Phases{}
		l.tally.Send(request.Operation, due, answer.Sent)
		done := l.carrier.Exchange(&request, &answer, answer.Sent.Add(transport.DefaultTimeout), &phases)
		answer.Received = time.Now()
		outcome := l.crowd.End(&request, &answer)
		l.tally.End(seq, due, &request, &answer, &outcome, &phases)
		result := vegeta.Result{Seq: seq, Code: uint16(answer.Status), Timestamp: answer.Sent, Latency: answer.Received.Sub(answer.Sent), BytesIn: uint64(len(answer.Body)), Error: outcome.Kind}
		if encodes {
			if err := encoder.Encode(&result); err != nil {
				t.Error(err)
			}
		}
		done()
		if outcome.Kind != "" {
			t.Error(outcome)
			return
		}
	}
}

// until is a Pacer of Vegeta that paces nothing and ends.
type until time.Duration

func (u until) Pace(elapsed time.Duration, _ uint64) (time.Duration, bool) {
	return 0, elapsed > time.Duration(u)
}

func (until) Rate(time.Duration) float64 { return 0 }

// loopRole is the process of the loop.
func loopRole(t *testing.T) {
	var q question
	if err := json.NewDecoder(os.Stdin).Decode(&q); err != nil {
		t.Fatal(err)
	}
	e, err := environment.Parse([]byte(q.Environment), "bench.yaml", t.TempDir(), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	target, err := e.Target()
	if err != nil {
		t.Fatal(err)
	}
	length := time.Duration(q.Seconds * float64(time.Second))
	prepared, err := load.Prepare(load.Options{
		Environment: e, Traffic: clients.Traffic{Workload: clients.WorkloadRefresh, Clients: q.Clients}, Rate: schedule.Rate{Max: true}, Duration: length, Workers: q.Workers,
	})
	if err == nil {
		err = prepared.SetUp(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	carrier, err := transport.Connect(context.Background(), target, transport.Options{Crowded: true})
	if err != nil {
		t.Fatal(err)
	}
	defer carrier.Close()
	l := &loop{began: time.Now(), pacer: until(length), crowd: prepared.Crowd(), carrier: carrier}
	l.tally = tally.New(l.crowd.Operations(), true, false, l.began)
	recorder, err := tally.NewRecorder(q.Record, &tally.Head{Report: nil, Operations: l.crowd.Operations(), Began: l.began})
	if err != nil {
		t.Fatal(err)
	}
	before := spent()
	var all sync.WaitGroup
	for range q.Workers {
		all.Go(func() { l.work(t) })
	}
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for range int(q.Seconds) {
		<-ticker.C
		recorder.Append(l.tally.Take())
	}
	all.Wait()
	if err := json.NewEncoder(os.Stdout).Encode(floorOutcome{int64(l.hits), spent() - before}); err != nil {
		t.Fatal(err)
	}
}
