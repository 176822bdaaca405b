package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"agstest/internal/delivery"
)

// link is a connection as net/http has it below TLS. Whether a request that got no answer provably never reached the
// peer can be told only before the connection is closed here, and before TLS says goodbye on it: so it is found out
// then.
type link struct {
	net.Conn
	control   syscall.RawConn // nil where the system cannot be asked
	roundTrip time.Duration   // how long connecting took
	waiting   atomic.Bool     // a request is on its way, and nothing of an answer came
	wrote     atomic.Bool     // some of it may have been written
	cut       atomic.Bool     // not all of it could be written
	unread    atomic.Bool     // the peer ended its side before all of it had come
}

// dialLinks opens connections that are links.
func dialLinks(dial func(context.Context, string, string) (net.Conn, error)) func(context.Context, string,
	string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		begin := time.Now()
		raw, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		l := &link{Conn: raw, roundTrip: time.Since(begin)}
		if of, ok := raw.(syscall.Conn); ok {
			l.control, _ = of.SyscallConn()
		}
		return l, nil
	}
}

// Write is part of net.Conn.
func (l *link) Write(p []byte) (int, error) {
	if l.waiting.Load() {
		l.wrote.Store(true)
	}
	n, err := l.Conn.Write(p)
	if err != nil && l.waiting.Load() && delivery.CutOff(err) {
		l.cut.Store(true)
	}
	return n, err
}

// SetWriteDeadline is part of net.Conn. Only crypto/tls calls it here, before it says goodbye.
func (l *link) SetWriteDeadline(t time.Time) error {
	l.look()
	return l.Conn.SetWriteDeadline(t)
}

// Close is part of net.Conn.
func (l *link) Close() error {
	l.look()
	return l.Conn.Close()
}

func (l *link) look() {
	if l.waiting.CompareAndSwap(true, false) && !l.cut.Load() && delivery.Unread(l.control, l.roundTrip) {
		l.unread.Store(true)
	}
}

// journey is how one request travelled. net/http reports it on goroutines of its own.
type journey struct {
	// that it was given: net/http itself sends again what an HTTP/2 service says that it never looked at
	connections atomic.Int32
	last        atomic.Pointer[link]
	kept        atomic.Bool // the last was used before
	heard       atomic.Bool // something of an answer came

	step atomic.Pointer[string] // on the way to a connection: what is waited for
}

// noWayYet is what is waited for once a proxy has taken the connection.
const noWayYet = "the proxy opened no way to the service"

// sayWhere tells of a time-out what was waited for: a name, a connection, a proxy, TLS or an answer. The time of TLS
// and that of the exchange end together. Errors of dialling tell it themselves. Whatever else ends a connection that a
// proxy has taken, before it has opened a way, is the proxy's doing.
func (j *journey) sayWhere(ctx context.Context, err error, after time.Duration) error {
	var timeout interface{ Timeout() bool }
	var operation *net.OpError
	var refusal proxyRefusal
	step := j.step.Load()
	switch {
	case j.connections.Load() > 0 || step == nil:
		return err
	case errors.As(err, &timeout) && timeout.Timeout():
		if !errors.As(err, &operation) {
			return timeoutError{after, *step}
		}
	case ctx.Err() == nil && *step == noWayYet && !errors.As(err, &refusal) && !toldOfProxy(err):
		return &net.OpError{Op: proxyConnect, Net: "tcp", Err: err}
	}
	return err
}

func (j *journey) trace(ctx context.Context) context.Context {
	proxy, _ := ctx.Value(proxyKey{}).(*url.URL)
	whose := ""
	if proxy != nil {
		whose = "the proxy cannot be used: "
	}
	wait := func(until string) { j.step.Store(&until) }
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart: func(info httptrace.DNSStartInfo) {
			wait(whose + "the name of the host " + info.Host + " was not resolved")
		},
		ConnectStart: func(_, address string) { wait(whose + "the connection to " + address + " was not accepted") },
		ConnectDone: func(_, _ string, err error) {
			if err == nil && proxy != nil {
				wait(noWayYet)
			}
		},
		TLSHandshakeStart: func() { wait("TLS did not come about") },
		GotConn: func(info httptrace.GotConnInfo) {
			j.connections.Add(1)
			j.kept.Store(info.Reused)
			l := linkBelow(info.Conn)
			if j.last.Store(l); l != nil && info.Reused {
				l.wrote.Store(false)
				l.waiting.Store(true)
			}
		},
		GotFirstResponseByte: func() {
			j.heard.Store(true)
			if l := j.last.Load(); l != nil {
				l.waiting.Store(false)
			}
		},
	})
}

func linkBelow(c net.Conn) *link {
	for {
		switch under := c.(type) {
		case *link:
			return under
		case *tls.Conn:
			c = under.NetConn()
		default:
			return nil
		}
	}
}

// over ends the watch over the connection, which others may use now.
func (j *journey) over() {
	if l := j.last.Load(); l != nil {
		l.waiting.Store(false)
	}
}

// neverReached tells that the peer provably did not get the whole request, on a connection that was kept open and that
// it had closed.
func (j *journey) neverReached(err error) bool {
	l := j.last.Load()
	if l == nil || !j.kept.Load() {
		return false
	}
	return l.cut.Load() || ended(err) && (l.unread.Load() || !l.wrote.Load())
}

// unanswered tells whether the peer closed a kept connection before any byte of an answer came.
func (j *journey) unanswered(err error) bool {
	return j.last.Load() != nil && j.kept.Load() && !j.heard.Load() && (ended(err) || delivery.CutOff(err))
}

// ended tells that the peer has ended its side of the connection.
func ended(err error) bool {
	return errors.Is(err, io.EOF) || strings.Contains(err.Error(), "server closed idle connection")
}

// unrewindable is a body that net/http cannot send a second time, so that it leaves to once what may be.
type unrewindable struct{ io.Reader }
