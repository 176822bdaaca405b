package bench

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttpadaptor"

	"agstest/mock"
)

// service is a trivial AGS: what it answers to a refresh of a client, which the mock gives, it answers to all of the
// next second. So it costs next to nothing, and the answers are right all the same.
type service struct {
	mock   fasthttp.RequestHandler
	whole  http.Handler  // the same
	frozen time.Duration // for how long it stands still
	from   time.Duration // since the first refresh
	fresh  time.Duration // for how long an answer is given again

	mu      sync.RWMutex // guards bodies
	bodies  map[string]given
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
	default:
		s.mock(c)
	}
}

func (s *service) answer(c *fasthttp.RequestCtx) {
	s.refresh.Add(1)
	key := keyOf(c.Request.Header.Peek("Authorization"))
	if body, known := s.known(key); known {
		c.SetContentType("application/json")
		c.SetBody(body)
		return
	}
	first := string(key)
	s.mock(c)
	s.learn(first, c.Response.StatusCode(), slices.Clone(c.Response.Body()))
}

// ServeHTTP is the same over HTTP/2, which fasthttp does not speak.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/refresh") {
		s.whole.ServeHTTP(w, r)
		return
	}
	s.refresh.Add(1)
	key := keyOf([]byte(r.Header.Get("Authorization")))
	w.Header().Set("Content-Type", "application/json")
	if body, known := s.known(key); known {
		w.Write(body)
		return
	}
	recorder := httptest.NewRecorder()
	s.whole.ServeHTTP(recorder, r)
	s.learn(string(key), recorder.Code, recorder.Body.Bytes())
	w.WriteHeader(recorder.Code)
	w.Write(recorder.Body.Bytes())
}

// given is an answer, and how long it is given again.
type given struct {
	body  []byte
	until time.Time
}

// freshFor is less than what makes a refresh that brings the same tokens look like the answer of a cache.
const freshFor = time.Second

// keyOf is the end of a token, which tells it from all others.
func keyOf(token []byte) []byte { return token[max(0, len(token)-40):] }

func (s *service) known(key []byte) ([]byte, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	g := s.bodies[string(key)]
	return g.body, time.Now().Before(g.until)
}

// learn keeps what the mock answered to a refresh.
func (s *service) learn(first string, status int, body []byte) {
	var pair struct {
		Refresh string `json:"refresh_token"`
	}
	if status != http.StatusOK || json.Unmarshal(body, &pair) != nil || len(pair.Refresh) < 40 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g := given{body, time.Now().Add(s.fresh)}
	s.bodies[first], s.bodies[string(keyOf([]byte(pair.Refresh)))] = g, g
}

// freeze holds a request that comes while the service stands still.
func (s *service) freeze(now time.Time) {
	s.began.CompareAndSwap(0, now.UnixNano())
	since := time.Duration(now.UnixNano() - s.began.Load())
	if since >= s.from && since < s.from+s.frozen {
		time.Sleep(s.from + s.frozen - since)
	}
}

// tell answers on a port of its own what was counted and measured.
func (s *service) tell(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/count" {
		fmt.Fprint(w, s.refresh.Swap(0))
		return
	}
	s.timesMu.Lock()
	defer s.timesMu.Unlock()
	json.NewEncoder(w).Encode(s.times)
}

// The ways in which the service can be spoken to.
const (
	plainHTTP = "http"
	overTLS   = "https"
	overHTTP2 = "http2"
)

// serveRole is the process of the service: it tells its addresses and environment, and runs until its input ends.
func serveRole(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	telling, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	m := mock.New(mock.Config{Seed: 11})
	s := &service{mock: fasthttpadaptor.NewFastHTTPHandler(m), whole: m, bodies: map[string]given{}}
	s.from, _ = time.ParseDuration(os.Getenv("AGSTEST_BENCH_FROM"))
	s.frozen, _ = time.ParseDuration(os.Getenv("AGSTEST_BENCH_FROZEN"))
	if s.fresh, err = time.ParseDuration(os.Getenv("AGSTEST_BENCH_FRESH")); err != nil {
		s.fresh = freshFor
	}
	way, folder := os.Getenv("AGSTEST_BENCH_WAY"), os.Getenv("AGSTEST_BENCH_FOLDER")
	url, ca := "http://"+listener.Addr().String(), ""
	var config *tls.Config
	if way == overTLS || way == overHTTP2 {
		authority, err := mock.NewAuthority(time.Now())
		require.NoError(t, err)
		url, ca = "https://"+listener.Addr().String(), filepath.Join(folder, "ca.pem")
		require.NoError(t, os.WriteFile(ca, authority.PEM, 0o600))
		config = &tls.Config{Certificates: []tls.Certificate{authority.Server}, MinVersion: tls.VersionTLS12}
	}
	teller := &http.Server{Handler: http.HandlerFunc(s.tell)}
	lean := &fasthttp.Server{Handler: s.handle, NoDefaultDate: true}
	second := &http.Server{Handler: s, TLSConfig: config, ErrorLog: log.New(io.Discard, "", 0)}
	var serving sync.WaitGroup
	serving.Go(func() { teller.Serve(telling) })
	serving.Go(func() {
		switch way {
		case overHTTP2:
			second.ServeTLS(listener, "", "")
		case overTLS:
			lean.Serve(tls.NewListener(listener, config))
		default:
			lean.Serve(listener)
		}
	})
	json.NewEncoder(os.Stdout).Encode(running{url, string(m.Environment(url, "", ca)), "http://" + telling.Addr().String(), ca})
	var end [1]byte
	os.Stdin.Read(end[:])
	lean.Shutdown()
	second.Close()
	teller.Close()
	serving.Wait()
}
