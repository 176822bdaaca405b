package bench

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttpadaptor"

	"agstest/mock"
)

// service is a trivial AGS: what it answers to the first refresh of a client, which the mock gives, it answers to all of them. So it costs
// next to nothing, and the answers are right all the same.
type service struct {
	mock   fasthttp.RequestHandler
	frozen time.Duration // for how long it stands still
	from   time.Duration // since the first refresh

	mu      sync.RWMutex // guards bodies
	bodies  map[string][]byte
	refresh atomic.Int64
	began   atomic.Int64

	timesMu sync.Mutex // guards times
	times   []int64
}

func (s *service) handle(c *fasthttp.RequestCtx) {
	switch {
	case strings.HasSuffix(string(c.Path()), "/refresh"):
		begin := time.Now()
		s.answer(c)
		if s.frozen > 0 {
			s.freeze(begin)
			s.timesMu.Lock()
			s.times = append(s.times, int64(time.Since(begin)))
			s.timesMu.Unlock()
		}
	case string(c.Path()) == "/count":
		fmt.Fprint(c, s.refresh.Swap(0))
	case string(c.Path()) == "/times":
		s.timesMu.Lock()
		defer s.timesMu.Unlock()
		json.NewEncoder(c).Encode(s.times)
	default:
		s.mock(c)
	}
}

func (s *service) answer(c *fasthttp.RequestCtx) {
	s.refresh.Add(1)
	token := c.Request.Header.Peek("Authorization")
	if len(token) < 40 {
		c.SetStatusCode(http.StatusUnauthorized)
		return
	}
	key := token[len(token)-40:]
	s.mu.RLock()
	body, known := s.bodies[string(key)]
	s.mu.RUnlock()
	if known {
		c.SetContentType("application/json")
		c.SetBody(body)
		return
	}
	first := string(key)
	s.mock(c)
	if c.Response.StatusCode() != http.StatusOK {
		return
	}
	body = slices.Clone(c.Response.Body())
	var pair struct {
		Refresh string `json:"refresh_token"`
	}
	if json.Unmarshal(body, &pair) != nil || len(pair.Refresh) < 40 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bodies[first] = body
	s.bodies[pair.Refresh[len(pair.Refresh)-40:]] = body
}

// freeze holds a request that comes while the service stands still.
func (s *service) freeze(now time.Time) {
	s.began.CompareAndSwap(0, now.UnixNano())
	since := time.Duration(now.UnixNano() - s.began.Load())
	if since >= s.from && since < s.from+s.frozen {
		time.Sleep(s.from + s.frozen - since)
	}
}

// serveRole is the process of the service: it tells its address and environment, and runs until its input ends.
func serveRole(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := mock.New(mock.Config{Seed: 11})
	s := &service{mock: fasthttpadaptor.NewFastHTTPHandler(m), bodies: map[string][]byte{}}
	s.from, _ = time.ParseDuration(os.Getenv("AGSTEST_BENCH_FROM"))
	s.frozen, _ = time.ParseDuration(os.Getenv("AGSTEST_BENCH_FROZEN"))
	server := &fasthttp.Server{Handler: s.handle, NoDefaultDate: true}
	go server.Serve(listener)
	url := "http://" + listener.Addr().String()
	json.NewEncoder(os.Stdout).Encode(map[string]string{"url": url, "environment": string(m.Environment(url, "", ""))})
	var end [1]byte
	os.Stdin.Read(end[:])
	server.Shutdown()
}
