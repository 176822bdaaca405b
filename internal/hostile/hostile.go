// Package hostile serves answers that no service should give, for tests of the code that has to bear them: a table of
// named behaviours, each over real connections of this machine, in front of a service that works. It knows nothing of
// the rest of the module.
package hostile

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Behaviour is one way to do wrong, or to do right in a way that looks wrong.
type Behaviour struct {
	Name string
	// Answer takes the place of the service's answer to a call that is to be answered badly. It tells whether the
	// connection stays open for the next request. It is nil where the connection itself is the trouble.
	Answer func(*Turn) (keep bool)
	// Endless: a client never gets a whole answer and needs its own time-out.
	Endless bool
	// Kept tells that the answer depends on the connection's earlier traffic, or leaves bytes there that the next
	// request, whoever's it is, may get for its answer.
	Kept bool

	connect *connection // nil: plain HTTP
}

// Everywhere tells that no call is spared: the connections themselves are the trouble.
func (b Behaviour) Everywhere() bool { return b.Answer == nil }

// Plain tells that the service is offered over plain HTTP.
func (b Behaviour) Plain() bool { return b.connect == nil }

// Shared tells that the behaviour can be one of many of a service: it does not affect another client.
func (b Behaviour) Shared() bool { return b.Plain() && !b.Kept }

// Ruins tells that after the first bad answer nothing works any more.
func (b Behaviour) Ruins() bool { return b.connect != nil && b.connect.ruins }

// Behaviours returns all behaviours, by their fault: silence, ends, lengths and chunks, codings, sizes, headers,
// protocols, statuses, bodies, tokens, the order of answers, TLS.
func Behaviours() []Behaviour {
	var all []Behaviour
	for _, part := range [][]Behaviour{silences(), ends(), framings(), codings(), sizes(), headers(), protocols(),
		statuses(), redirects(), bodies(), numbers(), tokens(), orders(), connections(), records()} {
		all = append(all, part...)
	}
	return all
}

// Server is a service that behaves in one of the ways. Its methods may be called at any time.
type Server struct {
	// URL is where it is. It also works as a proxy for itself, where it speaks plain HTTP.
	URL string
	// CA is the certificate of the authority that a client has to trust, PEM; empty for plain HTTP.
	CA []byte

	connect   *connection
	choose    func(*http.Request) (Behaviour, bool)
	service   http.Handler
	listener  net.Listener
	elsewhere *http.Server
	stranger  string // address of elsewhere
	config    *tls.Config
	ends      context.Context
	end       context.CancelFunc
	work      sync.WaitGroup
	turns     atomic.Int64
	written   atomic.Int64
	strayed   atomic.Int64

	mu    sync.Mutex // guards what follows
	open  map[net.Conn]struct{}
	late  map[string][][]byte // answers that come to a later request, by behaviour
	ended bool
}

// Start serves a service that behaves badly in the calls that hostile chooses; nil chooses all. The others are answered
// as the service does. Close ends it.
func Start(b Behaviour, service http.Handler, hostile func(*http.Request) bool) (*Server, error) {
	return start(b.connect, service, func(r *http.Request) (Behaviour, bool) {
		return b, b.Answer != nil && (hostile == nil || hostile(r))
	})
}

// StartMany serves a service that behaves in many ways, all of them Shared: choose says in which one it answers a
// request, or that it answers as the service does.
func StartMany(service http.Handler, choose func(*http.Request) (Behaviour, bool)) (*Server, error) {
	return start(nil, service, choose)
}

func start(connect *connection, service http.Handler, choose func(*http.Request) (Behaviour, bool)) (*Server, error) {
	s := &Server{connect: connect, service: service, choose: choose, open: map[net.Conn]struct{}{},
		late: map[string][][]byte{}}
	var err error
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.listener.Close()
		return nil, err
	}
	s.ends, s.end = context.WithCancel(context.Background())
	s.stranger = other.Addr().String()
	s.elsewhere = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter,
		r *http.Request) {
		s.strayed.Add(1)
	})}
	s.URL = "http://" + s.listener.Addr().String()
	if connect != nil {
		if !connect.plainAddress {
			s.URL = "https://" + s.listener.Addr().String()
		}
		if connect.config != nil {
			s.CA, s.config = authority().pem, connect.config()
		}
	}
	s.work.Go(func() { s.elsewhere.Serve(other) })
	s.work.Go(s.accept)
	return s, nil
}

// Close ends all connections and waits until nothing is left of the server.
func (s *Server) Close() {
	s.end()
	s.mu.Lock()
	s.ended = true
	for c := range s.open {
		c.Close()
	}
	s.mu.Unlock()
	s.listener.Close()
	s.elsewhere.Close()
	s.work.Wait()
}

// Turns is how many calls were answered badly.
func (s *Server) Turns() int64 { return s.turns.Load() }

// Written is how many bytes clients took, as far as the kernel tells.
func (s *Server) Written() int64 { return s.written.Load() }

// Strayed is how many requests came to the other host that redirects lead to.
func (s *Server) Strayed() int64 { return s.strayed.Load() }

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.ended {
			s.mu.Unlock()
			conn.Close()
			return
		}
		s.open[conn] = struct{}{}
		s.mu.Unlock()
		s.work.Go(func() {
			s.talk(conn)
			s.mu.Lock()
			delete(s.open, conn)
			s.mu.Unlock()
			conn.Close()
		})
	}
}

// talk answers what comes over one connection.
func (s *Server) talk(raw net.Conn) {
	counted := &countedConn{Conn: raw, count: &s.written}
	var conn net.Conn = counted
	var spy *recordSpy
	switch c := s.connect; {
	case c == nil:
	case c.greet != nil:
		c.greet(&Turn{Conn: conn, server: s})
		goodbye(conn)
		return
	default:
		spy = newRecordSpy(counted, s.config.CipherSuites != nil)
		config := s.config
		if spy != nil {
			config = config.Clone()
			config.KeyLogWriter = spy
			conn = spy
		}
		secure := tls.Server(conn, config)
		raw.SetDeadline(time.Now().Add(time.Minute))
		if secure.HandshakeContext(s.ends) != nil {
			goodbye(raw)
			return
		}
		raw.SetDeadline(time.Time{})
		conn = secure
		if secure.ConnectionState().NegotiatedProtocol == "h2" {
			serveHTTP2(conn, s.service)
			return
		}
	}
	in := bufio.NewReader(conn)
	for number := 1; ; number++ {
		request, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		b, bad := s.choose(request)
		t := &Turn{Conn: conn, Request: request, Number: number, behaviour: b.Name, server: s, raw: raw, spy: spy}
		keep := true
		if bad {
			s.turns.Add(1)
			keep = b.Answer(t)
		} else {
			t.Send(t.Good())
		}
		if !keep {
			if !t.reset {
				goodbye(conn)
			}
			return
		}
		io.Copy(io.Discard, request.Body)
	}
}

// goodbye closes a connection so that the other side can read all bytes that were sent.
func goodbye(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
		conn.SetReadDeadline(time.Now().Add(time.Second))
		io.Copy(io.Discard, conn)
	}
}

// countedConn counts the bytes that the other side took.
type countedConn struct {
	net.Conn
	count *atomic.Int64
}

func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.count.Add(int64(n))
	return n, err
}

func (c *countedConn) CloseWrite() error { return c.Conn.(*net.TCPConn).CloseWrite() }

// Refreshes chooses the calls of refresh.
func Refreshes(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/refresh") }
