package transport

import (
	"bufio"
	"context"
	"crypto/tls"
	"net/http/httptrace"
	"time"

	"agstest/load/hit"
)

const (
	mostDialling = 128
	// longestIdle is below the idle time-out of common servers and proxies (nginx: 75 s, most load balancers: 60 s).
	longestIdle = 50 * time.Second
	// checkIdle: a connection that was idle for this long is looked at before it is used again. Under a high rate none is, so that it
	// costs nothing there; a service that closes without a word does so at once.
	checkIdle = time.Millisecond
)

// connection takes an idle connection, the last one used first, or opens one.
func (l *leanTransport) connection(deadline time.Time, traced *hit.Phases) (*connection, error) {
	for {
		l.mu.Lock()
		if l.aborted {
			l.mu.Unlock()
			return nil, hit.ErrAborted
		}
		n := len(l.idle) - 1
		if n < 0 {
			l.mu.Unlock()
			break
		}
		c := l.idle[n]
		l.idle[n] = nil
		l.idle = l.idle[:n]
		l.mu.Unlock()
		idle := time.Since(c.since)
		if idle > checkIdle && (idle > longestIdle || !stillOpen(c.raw, l.tls != nil)) {
			l.discard(c)
			continue
		}
		return c, nil
	}
	select {
	case l.dialling <- struct{}{}:
	default:
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		select {
		case l.dialling <- struct{}{}:
		case c := <-l.given:
			return c, nil
		case <-timer.C:
			return nil, errNoConnection
		}
	}
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	c, err := l.dial(ctx, traced)
	<-l.dialling
	return c, err
}

// errNoConnection is a time-out: no connection could be had in time.
var errNoConnection error = noConnection{}

type noConnection struct{}

func (noConnection) Error() string { return "no connection could be opened before the time-out" }

func (noConnection) Timeout() bool { return true }

// dial opens a connection. It does not bind a local address: that would use up one local port for all destinations together.
func (l *leanTransport) dial(ctx context.Context, traced *hit.Phases) (*connection, error) {
	if l.trace {
		ctx = httptrace.WithClientTrace(ctx, connectTrace(traced))
	}
	raw, err := l.dialer.DialContext(ctx, "tcp", l.address)
	if err != nil {
		return nil, err
	}
	traced.NewConnection = true
	c := &connection{Conn: raw, raw: raw}
	if l.tls != nil {
		begin := time.Now()
		secure := tls.Client(raw, l.tls)
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
func (l *leanTransport) put(c *connection) {
	c.used = true
	select {
	case l.given <- c:
		return
	default:
	}
	c.since = time.Now()
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
	c.raw.Close() // without a goodbye of TLS, which would block on a dead peer
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
		c.raw.Close()
	}
}

func (l *leanTransport) Close() { l.Abort() }
