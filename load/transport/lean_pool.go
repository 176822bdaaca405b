package transport

import (
	"bufio"
	"context"
	"crypto/tls"
	"net/http/httptrace"
	"time"

	"agstest/load/hit"
)

// maxDialling bounds how many connections are opened at once.
const maxDialling = 128

// connection takes an idle connection, the last one used first, or opens one; kept tells which. With fresh it always
// opens one. Now is the present, or a moment ago. If none can be opened, it takes one from before a reload that the
// service has not closed: a gateway may close its port for a moment and keep its connections.
func (l *leanTransport) connection(now, deadline time.Time, traced *hit.Phases, fresh bool) (c *connection, kept bool,
	err error) {
	var spare *connection
	for !fresh {
		c, err := l.takeIdle()
		if err != nil {
			return nil, false, err
		}
		if c == nil {
			break
		}
		if c.rested = now.Sub(c.since); l.fit(c, c.rested) {
			return c, true, nil
		}
		if l.isSpare(c) {
			spare = c
			break // what was used before it is of before the reload too
		}
		l.discard(c)
	}
	if spare == nil {
		return l.openOne(deadline, traced, fresh)
	}
	if c, kept, err = l.openOne(deadline, traced, fresh); err == nil || !spare.stillOpen() {
		l.discard(spare)
		return c, kept, err
	}
	return spare, true, nil
}

// isSpare tells whether a connection is from before a reload and the service has not closed it.
func (l *leanTransport) isSpare(c *connection) bool {
	return c.opened != l.generation.Load() && !l.timeouts.over(time.Since(c.since)) && c.stillOpen()
}

// openOne opens a connection, or takes one that is given back meanwhile if too many are being opened.
func (l *leanTransport) openOne(deadline time.Time, traced *hit.Phases, fresh bool) (c *connection, kept bool,
	err error) {
	select {
	case l.dialling <- struct{}{}:
	default:
		given := l.given
		if fresh {
			given = nil
		}
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		select {
		case l.dialling <- struct{}{}:
		case c := <-given:
			c.rested = 0
			return c, true, nil
		case <-timer.C:
			return nil, false, errNoConnection
		}
	}
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	c, err = l.dial(ctx, traced)
	<-l.dialling
	return c, false, err
}

// fit tells that a connection may be used that was idle for so long.
func (l *leanTransport) fit(c *connection, idle time.Duration) bool {
	switch {
	case c.opened != l.generation.Load() || l.timeouts.over(idle):
		return false
	case idle < l.lookAfter || c.stillOpen():
		return true
	case idle < sweepEvery: // too soon for a time-out
		l.generation.CompareAndSwap(c.opened, c.opened+1)
	default:
		l.timeouts.closed(idle, c.since.Add(idle))
	}
	return false
}

// takeIdle takes the connection that was used last; nil if none is idle.
func (l *leanTransport) takeIdle() (*connection, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.idle) - 1
	if l.aborted || n < 0 {
		if l.aborted {
			return nil, hit.ErrAborted
		}
		return nil, nil
	}
	c := l.idle[n]
	l.idle[n] = nil
	l.idle = l.idle[:n]
	return c, nil
}

// errNoConnection is a time-out: there was no connection in time.
var errNoConnection error = noConnection{}

type noConnection struct{}

func (noConnection) Error() string { return "no connection could be opened before the time-out" }

func (noConnection) Timeout() bool { return true }

// dial opens a connection. It does not bind a local address: that would use up one local port for all destinations
// together.
func (l *leanTransport) dial(ctx context.Context, traced *hit.Phases) (*connection, error) {
	if l.trace {
		ctx = httptrace.WithClientTrace(ctx, connectTrace(traced))
	}
	generation := l.generation.Load()
	begin := time.Now()
	raw, err := l.dialer.DialContext(ctx, "tcp", l.address)
	if err != nil {
		return nil, err
	}
	traced.NewConnection = true
	under := newBelow(raw)
	c := &connection{Conn: under, below: under, roundTrip: time.Since(begin), opened: generation}
	if l.tls != nil {
		begin := time.Now()
		secure := tls.Client(under, l.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			raw.Close()
			return nil, err
		}
		traced.TLS = time.Since(begin)
		c.Conn = secure
	}
	c.reader = bufio.NewReaderSize(c.Conn, usualHeader)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.aborted {
		raw.Close()
		return nil, hit.ErrAborted
	}
	l.open[c] = struct{}{}
	return c, nil
}

// connectTrace notes how long resolving a name and connecting take.
func connectTrace(traced *hit.Phases) *httptrace.ClientTrace {
	var resolving, connecting time.Time
	return &httptrace.ClientTrace{
		DNSStart:     func(httptrace.DNSStartInfo) { resolving = time.Now() },
		DNSDone:      func(httptrace.DNSDoneInfo) { traced.DNS = time.Since(resolving) },
		ConnectStart: func(string, string) { connecting = time.Now() },
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				traced.Connect = time.Since(connecting)
			}
		},
	}
}

// put gives a connection back for the next exchange.
func (l *leanTransport) put(c *connection, now time.Time) {
	c.used = true
	select {
	case l.given <- c:
		return
	default:
	}
	c.since = now
	l.mu.Lock()
	if !l.aborted {
		l.idle = append(l.idle, c)
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	l.discard(c)
}

func (l *leanTransport) discard(c *connection) {
	l.mu.Lock()
	delete(l.open, c)
	l.mu.Unlock()
	c.below.Conn.Close() // without a goodbye of TLS, which would block on a dead peer
}

func (l *leanTransport) isAborted() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.aborted
}

func (l *leanTransport) Abort() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.aborted = true
	for c := range l.open {
		c.below.Conn.Close()
	}
}

func (l *leanTransport) Close() {
	l.Abort()
	l.closeOnce.Do(func() { close(l.closing) })
	l.sweeper.Wait()
}
