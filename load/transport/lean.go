package transport

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"agstest/internal/delivery"
	"agstest/load/hit"

	"github.com/valyala/fasthttp"
)

// leanTransport is HTTP/1.1 over kept connections: one write, one read, no goroutine of its own. fasthttp reads the
// answers; the pool is our own, since the one of fasthttp retries and redials, while a load generator must tell what
// happened.
type leanTransport struct {
	base    *url.URL
	address string
	prefix  string
	tls     *tls.Config // nil for http
	trace   bool
	crowded bool
	slack   time.Duration // by how much an exchange may be cut off late
	dialer  net.Dialer
	hits    sync.Pool // of *leanHit

	timeouts idleTimeout
	// generation counts how often the service closed a connection that was in use. That is a reload or a restart, which
	// closes the others too, at its leisure: connections of an earlier generation are not used again.
	generation atomic.Uint64
	lookAfter  time.Duration // a connection that was idle for less is used without a look
	closing    chan struct{}
	closeOnce  sync.Once
	sweeper    sync.WaitGroup

	// dialling bounds how many connections are opened at once: in a burst, waiting requests take the first connection
	// that is ready, a new one or one that was given back.
	dialling chan struct{}
	given    chan *connection

	mu      sync.Mutex // guards the rest
	idle    []*connection
	open    map[*connection]struct{}
	aborted bool
}

// leanHit is the answer of one exchange.
type leanHit struct {
	transport *leanTransport
	response  fasthttp.Response
	done      func()
}

func newLeanTransport(base *url.URL, config *tls.Config, o Options) *leanTransport {
	l := &leanTransport{
		base: base, address: hostPort(base), prefix: strings.TrimSuffix(base.Path, "/"), trace: o.Trace, crowded: o.Crowded,
		slack:    o.Timeout / 256,
		dialling: make(chan struct{}, maxDialling), given: make(chan *connection), open: map[*connection]struct{}{},
		lookAfter: lookAfter, closing: make(chan struct{}),
	}
	if base.Scheme == "https" {
		l.tls = config
		l.tls.NextProtos = []string{"http/1.1"}
		l.tls.DynamicRecordSizingDisabled = true // a request is one record, and so one system call
		if l.tls.ServerName == "" {
			l.tls.ServerName = base.Hostname()
		}
		if l.tls.ClientSessionCache == nil {
			l.tls.ClientSessionCache = tls.NewLRUClientSessionCache(64)
		}
	}
	if !delivery.Proves {
		l.lookAfter = lookAfterUnproven
	}
	l.hits.New = func() any {
		h := &leanHit{transport: l}
		h.response.Header.SetNoDefaultContentType(true)
		h.done = func() { l.hits.Put(h) }
		return h
	}
	return l
}

func (l *leanTransport) String() string {
	if l.tls != nil {
		return "HTTP/1.1 over kept TLS connections (fasthttp)"
	}
	return "HTTP/1.1 over kept connections (fasthttp)"
}

func (l *leanTransport) Exchange(request *hit.Request, answer *hit.Answer, deadline time.Time,
	traced *hit.Phases) func() {
	h := l.hits.Get().(*leanHit)
	now := answer.Sent
	if now.IsZero() {
		now = time.Now()
	}
	c, kept, err := l.connection(now, deadline, traced, false)
	if err == nil {
		err = h.carry(c, request, answer, deadline, traced)
	}
	if err != nil && kept && !c.heard && (errors.Is(err, io.EOF) || delivery.CutOff(err)) {
		l.generation.CompareAndSwap(c.opened, c.opened+1)
		// Squid ends a connection whose time is over when the next request comes, once it has read it: only this tells its
		// time-out.
		l.timeouts.closed(c.rested, time.Now())
	}
	if err != nil && kept && !l.isAborted() && c.neverReached(err) {
		l.discard(c)
		answer.Resent, answer.Err = true, nil
		if c, _, err = l.connection(now, deadline, traced, true); err == nil {
			err = h.carry(c, request, answer, deadline, traced)
		}
	}
	if err != nil {
		if c != nil {
			l.discard(c)
		}
		if l.isAborted() {
			err = hit.ErrAborted
		}
		answer.Err = err
		return h.done
	}
	h.received(c, answer, deadline)
	return h.done
}

// received ends an exchange whose answer has come: the connection is kept where it may be.
func (h *leanHit) received(c *connection, answer *hit.Answer, deadline time.Time) {
	l := h.transport
	answer.Received = time.Now()
	switch {
	case answer.Received.After(deadline): // the connection is cut off a little later
		l.discard(c)
		*answer = hit.Answer{Sent: answer.Sent, Received: answer.Received, Resent: answer.Resent, Err: errLate}
	case answer.Truncated || c.grown || h.response.ConnectionClose() || c.reader.Buffered() > 0:
		l.discard(c)
	default:
		l.put(c, answer.Received)
	}
}

// errLate is the error of an answer that came behind the deadline, as that of a read which the deadline ended.
var errLate error = &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}

// carry does the exchange on a connection.
func (h *leanHit) carry(c *connection, request *hit.Request, answer *hit.Answer, deadline time.Time,
	traced *hit.Phases) error {
	var err error
	if c.out, err = h.transport.appendRequest(c.out[:0], request); err != nil {
		return err
	}
	c.heard, c.writing = false, false
	if err := c.below.cutOff(deadline, h.transport.slack); err != nil {
		return err
	}
	c.writing = true
	if _, err := c.Write(c.out); err != nil {
		return err
	}
	c.writing = false
	if h.transport.crowded {
		runtime.Gosched()
	}
	var written, first time.Time
	if h.transport.trace {
		written = time.Now()
	}
	if err := h.await(c); err != nil {
		return err
	}
	if h.transport.trace {
		first = time.Now()
		traced.Wait = first.Sub(written)
	}
	h.response.SkipBody = request.Method == fasthttp.MethodHead
	err = h.response.ReadLimitBody(c.reader, maxBody)
	if err != nil && !c.grown && tooLong(err) {
		c.grow()
		err = h.response.ReadLimitBody(c.reader, maxBody)
	}
	if h.transport.trace {
		traced.Read = time.Since(first)
	}
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		answer.Truncated = true
	case errors.Is(err, fasthttp.ErrDuplicateContentLength):
		return h.readLengths(c, request, answer)
	case err != nil:
		return c.plainly(err)
	}
	if !c.used {
		h.heedKeepAlive()
	}
	answer.Header = (*leanHeader)(&h.response.Header)
	answer.Status = h.response.StatusCode()
	answer.Body = h.response.Body()
	if refuses(answer.Status) {
		keepClock(answer, string(h.response.Header.Peek("Date")), string(h.response.Header.Peek("Retry-After")))
	}
	if request.KeepCookies {
		for _, line := range h.response.Header.Cookies() {
			answer.SetCookie = append(answer.SetCookie, string(line))
		}
	}
	if coding := h.response.Header.ContentEncoding(); len(coding) > 0 {
		decode(answer, string(coding))
	}
	return answer.Err
}

// heedKeepAlive heeds how long the service says that it keeps a connection.
func (h *leanHit) heedKeepAlive() {
	if announced := h.response.Header.Peek("Keep-Alive"); len(announced) > 0 {
		h.transport.timeouts.announce(string(announced))
	}
}

// readLengths reads an answer that gives its length twice, as net/http does: if both are one, a reader may take it (RFC
// 9110 section 8.6). fasthttp refuses it, and has taken nothing of it from the connection yet.
func (h *leanHit) readLengths(c *connection, request *hit.Request, answer *hit.Answer) error {
	in, err := http.ReadResponse(c.reader, &http.Request{Method: request.Method})
	if err != nil {
		return c.plainly(err)
	}
	defer in.Body.Close()
	h.response.Reset()
	if in.Close {
		h.response.SetConnectionClose()
	}
	if err := fill(answer, in, request, new(bytes.Buffer)); err != nil && err != answer.Err {
		return c.plainly(err)
	}
	return answer.Err
}

// await waits until the status line of the answer itself is there and looks at it. fasthttp would take whatever goes
// wrong with the first byte for the end of the connection, the status 000 for 200, and any number for the version of
// HTTP.
func (h *leanHit) await(c *connection) error {
	for range maxInterim {
		line, err := c.reader.Peek(len("HTTP/1.1 200"))
		c.heard = c.heard || len(line) > 0
		switch {
		case err == io.EOF && len(line) > 0:
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		case string(line[:7]) != "HTTP/1." || line[8] != ' ' || line[9] < '1' || line[9] > '9':
			return errNoAnswer
		case string(line[9:]) == "101":
			return errUpgraded
		case line[9] != '1':
			return nil
		}
		if err := h.response.Header.Read(c.reader); err != nil {
			return c.plainly(err)
		}
	}
	return errInterim
}

// maxInterim bounds the interim answers (RFC 9110 section 15.2) before one answer.
const maxInterim = 100
