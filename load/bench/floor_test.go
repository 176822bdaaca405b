package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// BenchmarkFloor is what a hit costs at the very least, on one core: the two system calls that send a request and
// receive its answer, with nothing around them, and Vegeta's library with nothing under it. The sum is what no
// generator built on that library gets below.
func BenchmarkFloor(b *testing.B) {
	s := startService(b, "AGSTEST_BENCH_FRESH=1h") // all answers are of one size
	request := rawRefresh(b, s)
	for range 2 { // the service has its answer ready from the second on
		first, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := first.Write(request); err != nil {
			b.Fatal(err)
		}
		if _, err := first.Read(make([]byte, 64<<10)); err != nil {
			b.Fatal(err)
		}
		first.Close()
	}
	for range b.N {
		figures := map[string][]float64{}
		for range rounds {
			for _, kind := range []string{"calls", "library"} {
				var o floorOutcome
				command := pinned(1, os.Args[0], "-test.run=^TestRole$")
				command.Env = append(os.Environ(), role+"=floor", "AGSTEST_BENCH_FLOOR="+kind, "AGSTEST_BENCH_ADDRESS="+strings.TrimPrefix(s.URL, "http://"))
				command.Stdin = bytes.NewReader(request)
				out, err := command.Output()
				if err != nil || json.Unmarshal([]byte(strings.SplitN(string(out), "\n", 2)[0]), &o) != nil {
					b.Fatalf("%s: %v\n%s", kind, err, out)
				}
				figures[kind] = append(figures[kind], o.CPU.Seconds()*1e6/float64(o.Hits))
			}
		}
		calls, library := median(figures["calls"]), median(figures["library"])
		b.ReportMetric(calls, "calls-µs/hit")
		b.ReportMetric(library, "library-µs/hit")
		b.ReportMetric(calls+library, "floor-µs/hit")
		b.ReportMetric(1e6/(calls+library), "floor-hits/s")
	}
}

type floorOutcome struct {
	Hits int64
	CPU  time.Duration
}

const floorSeconds = 3

// rawRefresh is the request of a refresh as it goes over the wire.
func rawRefresh(b *testing.B, s *running) []byte {
	b.Helper()
	text, err := os.ReadFile(writeTargets(b, s))
	if err != nil {
		b.Fatal(err)
	}
	var target vegeta.Target
	if err := json.Unmarshal(text, &target); err != nil {
		b.Fatal(err)
	}
	r, err := target.Request()
	if err != nil {
		b.Fatal(err)
	}
	var raw bytes.Buffer
	if err := r.Write(&raw); err != nil {
		b.Fatal(err)
	}
	return raw.Bytes()
}

// floorRole is the process that only sends, or only goes through the library.
func floorRole(t *testing.T) {
	request, err := io.ReadAll(os.Stdin)
	if err != nil {
		t.Fatal(err)
	}
	before := spent()
	hits := map[string]func(*testing.T, []byte) int64{"calls": callsAlone, "library": libraryAlone}[os.Getenv("AGSTEST_BENCH_FLOOR")](t, request)
	if err := json.NewEncoder(os.Stdout).Encode(floorOutcome{hits, spent() - before}); err != nil {
		t.Fatal(err)
	}
}

// callsAlone sends the same bytes on 64 connections and reads as many as the first answer had.
func callsAlone(t *testing.T, request []byte) int64 {
	address := os.Getenv("AGSTEST_BENCH_ADDRESS")
	var hits atomic.Int64
	var all sync.WaitGroup
	end := time.Now().Add(floorSeconds * time.Second)
	for range 64 {
		all.Go(func() {
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			answer := make([]byte, 64<<10)
			size := 0
			for n := int64(0); ; n++ {
				if n%64 == 0 && time.Now().After(end) {
					hits.Add(n)
					return
				}
				if _, err := c.Write(request); err != nil {
					t.Error(err)
					return
				}
				runtime.Gosched() // the others write first, and the answer is there for the first read
				got := 0
				for size == 0 || got < size {
					read, err := c.Read(answer[got:])
					if err != nil {
						t.Error(err)
						return
					}
					got += read
					if size == 0 {
						size = lengthOf(answer[:got])
					}
				}
				if got != size || !bytes.HasPrefix(answer, []byte("HTTP/1.1 200 ")) {
					t.Errorf("an answer of %d bytes, not %d: %.80q", got, size, answer[:got])
					return
				}
			}
		})
	}
	all.Wait()
	return hits.Load()
}

// lengthOf is how long an answer is, head and body; 0 while its head is not whole.
func lengthOf(answer []byte) int {
	head, _, whole := bytes.Cut(answer, []byte("\r\n\r\n"))
	_, rest, found := bytes.Cut(head, []byte("Content-Length: "))
	if !whole || !found {
		return 0
	}
	line, _, _ := bytes.Cut(rest, []byte("\r\n"))
	body, err := strconv.Atoi(string(line))
	if err != nil {
		return 0
	}
	return len(head) + 4 + body
}

// libraryAlone has Vegeta's library attack nothing.
func libraryAlone(t *testing.T, _ []byte) int64 {
	answer := roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	})
	attacker := vegeta.NewAttacker(vegeta.Client(&http.Client{Transport: answer}), vegeta.Workers(64), vegeta.MaxWorkers(64), vegeta.MaxBody(0))
	targeter := func(target *vegeta.Target) error {
		target.Method, target.URL = http.MethodPost, "http://127.0.0.1/"
		return nil
	}
	var hits int64
	for result := range attacker.Attack(targeter, vegeta.Rate{}, floorSeconds*time.Second, "floor") {
		if result.Code != http.StatusOK {
			t.Fatal(fmt.Sprint(result))
		}
		hits++
	}
	return hits
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
