package watch

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"agstest/internal/failure"
)

const (
	maxViewers = 64 // at the same time
	// viewerPatience is how long a viewer may take to read one event. A slower one is let go; its browser asks again.
	viewerPatience = 10 * time.Second
	maxForm        = 4 << 10 // bytes of the form of the button
	plainPage      = "plain" // query of a page that asks for itself again
)

// Server serves a page until it is closed.
type Server struct {
	page    *Page
	server  *http.Server
	served  sync.WaitGroup
	over    context.Context // ends with Close
	end     context.CancelFunc
	viewers atomic.Int64
	closing sync.Once

	mutex sync.Mutex // guards what follows
	plain time.Time  // when a page without a script asked last
	told  bool       // this page has seen the verdict
	seen  chan struct{}
}

// Serve serves a page on a listener, which it closes in the end. Close must be called.
func Serve(page *Page, listener net.Listener) *Server {
	s := &Server{page: page, seen: make(chan struct{}, 1)}
	s.over, s.end = context.WithCancel(context.Background())
	s.server = &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 20 * time.Second, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0),
	}
	s.served.Go(func() {
		defer failure.Guard()
		_ = s.server.Serve(listener)
	})
	return s
}

// Close lets every page that is open show the last state, and waits for all goroutines of the server. A page without a
// script that looks on is waited for until it has asked once more, some seconds at most.
func (s *Server) Close() { s.closing.Do(s.close) }

func (s *Server) close() {
	s.mutex.Lock()
	lingering := s.page.options.Again + 2*time.Second
	waits := s.page.isOver() && !s.told && time.Since(s.plain) < lingering
	s.mutex.Unlock()
	if waits {
		timer := time.NewTimer(lingering)
		select {
		case <-s.seen:
		case <-timer.C:
		}
		timer.Stop()
	}
	s.end()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if s.server.Shutdown(ctx) != nil {
		_ = s.server.Close()
	}
	s.served.Wait()
}

// Handler serves the page, its events, and where there is a token the button.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.showPage)
	mux.HandleFunc("GET /events", s.showEvents)
	mux.HandleFunc("GET /favicon.ico",
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	if s.page.options.Token != "" {
		mux.HandleFunc("POST /stop", s.stop)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer failure.Guard()
		h := w.Header()
		h.Set("Content-Security-Policy", policy())
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin") // with no-referrer the form of the button would come from nowhere
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !s.known(r.Host) {
			http.Error(w, "ask for this page by the address that agstest has told", http.StatusMisdirectedRequest)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// known tells whether a host may ask for a page: an address, localhost, or a host that was named.
func (s *Server) known(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	return host != "" && (net.ParseIP(host) != nil || host == "localhost" || slices.ContainsFunc(s.page.options.Hosts,
		func(known string) bool { return strings.EqualFold(known, host) }))
}

func (s *Server) showPage(w http.ResponseWriter, r *http.Request) {
	over := s.page.isOver()
	text, err := s.page.whole()
	if err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err = w.Write(text)
	if r.URL.RawQuery != plainPage {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.plain = time.Now()
	if over && err == nil && !s.told {
		s.told = true
		s.seen <- struct{}{}
	}
}

// showEvents sends the part of the page that changes, whenever it does, and ends with the verdict.
func (s *Server) showEvents(w http.ResponseWriter, r *http.Request) {
	if s.viewers.Add(1) > maxViewers {
		s.viewers.Add(-1)
		http.Error(w, "too many look on already", http.StatusServiceUnavailable)
		return
	}
	defer s.viewers.Add(-1)
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{})
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	for ending := false; ; {
		event, changed, over, err := s.page.event()
		if err != nil || control.SetWriteDeadline(time.Now().Add(viewerPatience)) != nil {
			return
		}
		if _, err := w.Write(event); err != nil || control.Flush() != nil || over || ending {
			return
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		case <-s.over.Done():
			ending = true // what was told last is shown still
		}
	}
}

// stop ends the run for a caller that knows the token and asks from the page itself, or from no page at all.
func (s *Server) stop(w http.ResponseWriter, r *http.Request) {
	if from := r.Header.Get("Origin"); from != "" {
		origin, err := url.Parse(from)
		if err != nil || origin.Scheme != "http" || origin.Host != r.Host {
			http.Error(w, "another site may not stop a run", http.StatusForbidden)
			return
		}
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		http.Error(w, "another site may not stop a run", http.StatusForbidden)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form is not understood", http.StatusBadRequest)
		return
	}
	if !sameSecret(r.PostForm.Get("token"), s.page.options.Token) {
		http.Error(w, "that is not the token of this run", http.StatusForbidden)
		return
	}
	s.page.askToStop()
	if r.PostForm.Get("script") != "" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	http.Redirect(w, r, "/?"+plainPage, http.StatusSeeOther)
}

// sameSecret compares in a time that reveals nothing about either.
func sameSecret(given, known string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(known))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
