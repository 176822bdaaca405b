package metrics

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"agstest/internal/failure"
)

// maxWait is how long a server waits at most for the last scrape.
const maxWait = 70 * time.Second

// Server answers scrapes of a run at /metrics until it is closed.
type Server struct {
	server   *http.Server
	served   sync.WaitGroup
	closing  sync.Once
	loopback bool

	mutex   sync.Mutex // guards what follows
	last    time.Time  // when it was scraped last; zero: never
	between time.Duration
	final   bool          // all is counted
	scraped chan struct{} // closed when it was scraped after that
}

// Serve answers scrapes of sums on a listener, which it closes in the end. Close must be called. Where the listener is
// on loopback, only addresses and localhost are answered to, so that no site can read it through a name of its own.
func Serve(sums *Sums, listener net.Listener) *Server {
	s := &Server{scraped: make(chan struct{})}
	if tcp, ok := listener.Addr().(*net.TCPAddr); ok {
		s.loopback = tcp.IP.IsLoopback()
	}
	mux := http.NewServeMux()
	answer := sums.Handler()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		final := s.begins()
		answer.ServeHTTP(w, r)
		s.ends(final)
	})
	s.server = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer failure.Guard()
			if s.loopback && !local(r.Host) {
				http.Error(w, "ask for the metrics by the address that agstest has told", http.StatusMisdirectedRequest)
				return
			}
			w.Header().Set("X-Content-Type-Options", "nosniff")
			mux.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 20 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout:    2 * time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0),
	}
	s.served.Go(func() {
		defer failure.Guard()
		_ = s.server.Serve(listener)
	})
	return s
}

// local tells whether a host is an address or localhost.
func local(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	return net.ParseIP(host) != nil || strings.EqualFold(host, "localhost")
}

// begins notes that a scrape begins, and tells whether it has the final figures.
func (s *Server) begins() (final bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	now := time.Now()
	if !s.last.IsZero() {
		s.between = now.Sub(s.last)
	}
	s.last = now
	return s.final
}

func (s *Server) ends(final bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if final && s.scraped != nil {
		close(s.scraped)
		s.scraped = nil
	}
}

// Final tells that all is counted, and how long WaitForScrape would wait: 0 where nobody scrapes again and again.
func (s *Server) Final() time.Duration {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.final = true
	if s.between == 0 {
		return 0
	}
	return max(0, min(maxWait, time.Until(s.last.Add(s.between+s.between/4+time.Second))))
}

// WaitForScrape waits until the final figures were scraped, for some time at most, so that a scraper has all of them.
func (s *Server) WaitForScrape(ctx context.Context, most time.Duration) {
	s.mutex.Lock()
	scraped := s.scraped
	s.mutex.Unlock()
	if scraped == nil {
		return
	}
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-scraped:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Close ends the server and waits for it.
func (s *Server) Close() {
	s.closing.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if s.server.Shutdown(ctx) != nil {
			_ = s.server.Close()
		}
		s.served.Wait()
	})
}
