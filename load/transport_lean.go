package load

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// leanTransport is HTTP/1.1 over kept connections: one write, one read, no goroutine of its own. Answers are read by fasthttp; the
// pool is our own, since the one of fasthttp retries and redials where a load generator must tell what happened.
type leanTransport struct {
	base    *url.URL
	address string
	prefix  string
	tls     *tls.Config // nil for http
	trace   bool
	timeout time.Duration
	dialer  net.Dialer
	hits    sync.Pool // of *leanHit

	// dialling bounds how many connections are opened at once: when a burst comes, those that wait take whatever is first, a new
	// connection or one that was given back.
	dialling chan struct{}
	given    chan *connection

	mu      sync.Mutex // guards the rest
	idle    []*connection
	open    map[*connection]struct{}
	aborted bool
}

const (
	mostDialling = 128
	// longestIdle is below the idle time-out of common servers and proxies (nginx: 75 s, most load balancers: 60 s).
	longestIdle = 50 * time.Second
	// checkIdle: a connection that was idle for this long is looked at before it is used again. Under a high rate none is, so that it
	// costs nothing there; a service that closes without a word does so at once.
	checkIdle = time.Millisecond
)

// connection is one connection and its buffers.
type connection struct {
	net.Conn
	raw    net.Conn // below TLS
	reader *bufio.Reader
	out    []byte    // the request that is being sent
	since  time.Time // idle since
	used   bool      // carried an exchange before
	grown  bool      // has a larger buffer than others
}

// leanHit is the answer of one exchange.
type leanHit struct {
	transport *leanTransport
	response  fasthttp.Response
	done      func()
}

func newLeanTransport(base *url.URL, config *tls.Config, timeout time.Duration, trace bool) *leanTransport {
	l := &leanTransport{
		base: base, address: hostPort(base), prefix: strings.TrimSuffix(base.Path, "/"), timeout: timeout, trace: trace,
		dialling: make(chan struct{}, mostDialling), given: make(chan *connection), open: map[*connection]struct{}{},
	}
	if base.Scheme == "https" {
		l.tls = config
		l.tls.NextProtos = []string{"http/1.1"}
		if l.tls.ServerName == "" {
			l.tls.ServerName = base.Hostname()
		}
		if l.tls.ClientSessionCache == nil {
			l.tls.ClientSessionCache = tls.NewLRUClientSessionCache(64)
		}
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

func (l *leanTransport) exchange(request *Request, answer *Answer, deadline time.Time, traced *phaseTimes) func() {
	h := l.hits.Get().(*leanHit)
	c, err := l.connection(deadline, traced)
	if err != nil {
		answer.Err = err
		return h.done
	}
	if err := h.carry(c, request, answer, deadline, traced); err != nil {
		if l.isAborted() {
			err = errAborted
		}
		answer.Err = err
		l.discard(c)
		return h.done
	}
	if answer.Truncated || c.grown || h.response.ConnectionClose() || c.reader.Buffered() > 0 {
		l.discard(c)
		return h.done
	}
	l.put(c)
	return h.done
}

// carry does the exchange on a connection.
func (h *leanHit) carry(c *connection, request *Request, answer *Answer, deadline time.Time, traced *phaseTimes) error {
	var err error
	if c.out, err = h.transport.appendRequest(c.out[:0], request); err != nil {
		return err
	}
	if err := c.SetDeadline(deadline); err != nil {
		return err
	}
	if _, err := c.Write(c.out); err != nil {
		return err
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
		traced.wait = first.Sub(written)
	}
	h.response.SkipBody = request.Method == fasthttp.MethodHead
	err = h.response.ReadLimitBody(c.reader, mostBody)
	if err != nil && !c.grown && tooLong(err) {
		c.grow()
		err = h.response.ReadLimitBody(c.reader, mostBody)
	}
	if h.transport.trace {
		traced.read = time.Since(first)
	}
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		answer.Truncated = true
	case err != nil:
		return c.plainly(err)
	}
	answer.Status = h.response.StatusCode()
	answer.Body = h.response.Body()
	if mayRetryAfter(answer.Status) {
		answer.RetryAfter = string(h.response.Header.Peek("Retry-After"))
	}
	if coding := h.response.Header.ContentEncoding(); len(coding) > 0 {
		answer.decode(string(coding))
	}
	return answer.Err
}

// tooLong tells that the headers did not fit into the room that a connection has for them.
func tooLong(err error) bool {
	var small *fasthttp.ErrSmallBuffer
	return errors.As(err, &small)
}

// grow gives a connection room for long headers, with what has been read of them.
func (c *connection) grow() {
	begun, _ := c.reader.Peek(c.reader.Buffered())
	c.reader = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(bytes.Clone(begun)), c.Conn), mostHeader)
	c.grown = true
}

// await waits until the status line of the answer itself is there and looks at it. fasthttp would take whatever goes wrong with the
// first byte for the end of the connection, the status 000 for 200, and any number for the version of HTTP.
func (h *leanHit) await(c *connection) error {
	for range mostInterim {
		line, err := c.reader.Peek(len("HTTP/1.1 200"))
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

// mostInterim bounds the interim answers (RFC 9110 section 15.2) before one answer.
const mostInterim = 100

// What fasthttp finds wrong with an answer, in words without a part of it.
var (
	errLongHeader = fmt.Errorf("the headers of the answer are longer than %d kB", mostHeader>>10)
	errNoAnswer   = errors.New("what came back is not a valid HTTP/1.1 answer")
	errUpgraded   = errors.New("the service switched to another protocol, which nobody asked for")
	errInterim    = fmt.Errorf("more than %d interim answers came and no answer", mostInterim)
	errLineFeed   = errors.New("what came back is not a valid HTTP/1.1 answer: its lines end in a line feed alone")
	errChunk      = errors.New("the chunked body of the answer is malformed")
)

// plainly puts an error of the connection or of fasthttp into words of ours. What the connection said stays as it is.
func (c *connection) plainly(err error) error {
	if begun, _ := c.reader.Peek(c.reader.Buffered()); bytes.HasPrefix(begun, []byte("HTTP/")) && bytes.Contains(begun, []byte("\n\n")) {
		return errLineFeed // more was waited for, until the time was over or the connection was closed
	}
	var operation *net.OpError
	var timeout interface{ Timeout() bool }
	var chunk fasthttp.ErrBrokenChunk
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return io.ErrUnexpectedEOF // fasthttp puts a part of the answer beside it
	case errors.As(err, &operation):
		return operation
	case errors.As(err, &timeout) && timeout.Timeout():
		return err
	case tooLong(err):
		return errLongHeader
	case errors.As(err, &chunk) && strings.Contains(err.Error(), "EOF"):
		return io.ErrUnexpectedEOF
	case errors.As(err, &chunk), strings.Contains(err.Error(), "hex number"): // of the size of a chunk
		return errChunk
	}
	return errNoAnswer
}

// appendRequest writes a request of HTTP/1.1 (RFC 9112 section 3). It is written in one piece, as the workload spells it.
func (l *leanTransport) appendRequest(out []byte, request *Request) ([]byte, error) {
	out = append(append(out, request.Method...), ' ')
	out = append(append(out, l.prefix...), request.Path...)
	host, agent := l.base.Host, userAgent
	for i := range request.Header {
		switch field := &request.Header[i]; {
		case strings.EqualFold(field.Name, "Host"):
			host = field.Value
		case strings.EqualFold(field.Name, "User-Agent"):
			agent = field.Value
		}
	}
	out = append(append(out, " HTTP/1.1\r\nHost: "...), host...)
	out = append(append(out, "\r\nUser-Agent: "...), agent...)
	out = append(out, "\r\n"...)
	if len(request.Body) > 0 || request.Method == fasthttp.MethodPost || request.Method == fasthttp.MethodPut {
		out = strconv.AppendInt(append(out, "Content-Length: "...), int64(len(request.Body)), 10)
		out = append(out, "\r\n"...)
	}
	if hasBreak(request.Method) || hasBreak(request.Path) || strings.IndexByte(request.Path, ' ') >= 0 {
		return out, errLineBreak
	}
	for i := range request.Header {
		field := &request.Header[i]
		if hasBreak(field.Name) || hasBreak(field.Value) {
			return out, errLineBreak
		}
		if strings.EqualFold(field.Name, "Host") || strings.EqualFold(field.Name, "User-Agent") {
			continue
		}
		out = append(append(out, field.Name...), ": "...)
		out = append(append(out, field.Value...), "\r\n"...)
	}
	out = append(out, "\r\n"...)
	return append(out, request.Body...), nil
}

// errLineBreak: a token that a service made must not become a second header line.
var errLineBreak = errors.New("the request line or a header would hold a line break, so that it was not sent")

func hasBreak(text string) bool {
	return strings.IndexByte(text, '\n') >= 0 || strings.IndexByte(text, '\r') >= 0
}

// connection takes an idle connection, the last one used first, or opens one.
func (l *leanTransport) connection(deadline time.Time, traced *phaseTimes) (*connection, error) {
	for {
		l.mu.Lock()
		if l.aborted {
			l.mu.Unlock()
			return nil, errAborted
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
func (l *leanTransport) dial(ctx context.Context, traced *phaseTimes) (*connection, error) {
	if l.trace {
		ctx = httptrace.WithClientTrace(ctx, connectTrace(traced))
	}
	raw, err := l.dialer.DialContext(ctx, "tcp", l.address)
	if err != nil {
		return nil, err
	}
	traced.newConnection = true
	c := &connection{Conn: raw, raw: raw}
	if l.tls != nil {
		begin := time.Now()
		secure := tls.Client(raw, l.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			raw.Close()
			return nil, err
		}
		traced.tls = time.Since(begin)
		c.Conn = secure
	}
	c.reader = bufio.NewReaderSize(c.Conn, usualHeader)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.aborted {
		raw.Close()
		return nil, errAborted
	}
	l.open[c] = struct{}{}
	return c, nil
}

// connectTrace notes how long resolving a name and connecting take.
func connectTrace(traced *phaseTimes) *httptrace.ClientTrace {
	var resolving, connecting time.Time
	return &httptrace.ClientTrace{
		DNSStart:     func(httptrace.DNSStartInfo) { resolving = time.Now() },
		DNSDone:      func(httptrace.DNSDoneInfo) { traced.dns = time.Since(resolving) },
		ConnectStart: func(string, string) { connecting = time.Now() },
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				traced.connect = time.Since(connecting)
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

func (l *leanTransport) abort() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.aborted = true
	for c := range l.open {
		c.raw.Close()
	}
}

func (l *leanTransport) close() { l.abort() }
