// Package transport carries requests to a service over HTTP and returns the answers: over kept connections of HTTP/1.1,
// read by fasthttp, or else over net/http.
//
// Start with [Connect], which returns a [Carrier]. A carrier sends again only requests that provably never reached the
// service, and returns status, body and, on demand, the phases of a request. docs/decisions/own-transport.md says why
// it is our own.
package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"agstest/internal/failure"
	"agstest/internal/wire"
	"agstest/load/hit"
)

// Bounds of one exchange.
const (
	maxBody     = 1 << 20  // bytes of a body that are read
	usualHeader = 16 << 10 // bytes of the headers of an answer that a connection has room for
	// bytes of them that are read; a connection on which more than usual came is not kept
	maxHeader      = 256 << 10
	DefaultTimeout = 30 * time.Second // from sending to the last byte
	userAgent      = "agstest"
)

// Carrier carries prepared requests. It is used by many goroutines at once.
type Carrier interface {
	// Exchange sends a request and reads the whole answer into answer, with Status, Body, RetryAfter, Truncated and Err,
	// and Received where it has looked at the clock. The body stays valid until done is called. It returns
	// by the deadline, or by up to a 256th of Options.Timeout later; an answer that comes behind the deadline is none.
	Exchange(request *hit.Request, answer *hit.Answer, deadline time.Time, traced *hit.Phases) (done func())
	// Abort ends all exchanges that are under way, and all later ones, with hit.ErrAborted.
	Abort()
	// Close gives all connections back. Nothing may be under way.
	Close()
	// String names the transport and why it was chosen.
	String() string
}

// Options say how exchanges are made. The zero value works.
type Options struct {
	Timeout time.Duration // of one exchange; 0: DefaultTimeout
	Trace   bool          // measures the phases of each exchange
	// Crowded: other exchanges wait for the processor all the time, as in a closed loop. They go on behind each request
	// before its answer is looked for, which then is there already for the most part: without it each answer costs a read
	// in vain and a wake-up, a twentieth of a hit or more.
	Crowded bool
}

// Connect makes the leanest transport that can reach the target, and connects once to see that it can. Errors are of
// the kind failure.Usage or failure.Setup.
func Connect(ctx context.Context, target wire.Target, o Options) (Carrier, error) {
	base, err := url.Parse(target.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, failure.Usagef("the address %q of the service is no http or https address", target.URL)
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	config := target.TLS
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	config = config.Clone()
	if target.Proxy != nil {
		return newNetTransport(base, config, target.Proxy, o, "since a proxy is asked for"), nil
	}
	if target.HTTP == wire.HTTP2 {
		return newNetTransport(base, config, nil, o, "since HTTP/2 is asked for"), nil
	}
	l := newLeanTransport(base, config.Clone(), o)
	ctx, cancel := context.WithTimeout(ctx, min(o.Timeout, 10*time.Second))
	defer cancel()
	c, err := l.dial(ctx, &hit.Phases{})
	if err == nil && target.HTTP != wire.HTTP1 && c.choseNothing() && takesHTTP2(ctx, hostPort(base), l.tls) {
		l.Close()
		return newNetTransport(base, config, nil, o, "since the service speaks HTTP/2 only"), nil
	}
	if err == nil {
		l.sweeper.Go(func() {
			defer failure.Guard()
			l.sweep()
		})
		l.put(c, time.Now())
		return l, nil
	}
	if target.HTTP != wire.HTTP1 && onlyHTTP2(err) {
		return newNetTransport(base, config, nil, o, "since the service speaks HTTP/2 only"), nil
	}
	if context.Cause(ctx) == context.Canceled {
		return nil, ctx.Err()
	}
	reason := wire.Explain(err)
	if !strings.Contains(reason, ";") { // else it says what to do
		reason += "; check the address, and that the service is running"
	}
	return nil, failure.Setupf("cannot connect to %s: %s", base.Redacted(), reason)
}

// onlyHTTP2 tells that the TLS handshake failed because we offered HTTP/1.1 alone (RFC 7301 section 3.2).
func onlyHTTP2(err error) bool {
	var alert tls.AlertError
	return errors.As(err, &alert) && alert == 120 || strings.Contains(err.Error(), "no application protocol")
}

// choseNothing tells that the service took none of the protocols that TLS offered it. Most such services know no ALPN
// (RFC 7301). Go, and so Caddy and Traefik, does it too if only HTTP/2 is allowed, and then closes the connection at
// the first request.
func (c *connection) choseNothing() bool {
	secure, ok := c.Conn.(*tls.Conn)
	return ok && secure.ConnectionState().NegotiatedProtocol == ""
}

// takesHTTP2 tells that the service chooses HTTP/2 where that is offered.
func takesHTTP2(ctx context.Context, address string, config *tls.Config) bool {
	config = config.Clone()
	config.NextProtos = []string{"h2", "http/1.1"}
	c, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	defer c.Close()
	return c.(*tls.Conn).ConnectionState().NegotiatedProtocol == "h2"
}

// hostPort is the address to dial.
func hostPort(base *url.URL) string {
	port := base.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[base.Scheme]
	}
	return net.JoinHostPort(base.Hostname(), port)
}

// refuses tells that the service's clock matters with an answer of this status: it may ask to come again at a date, or
// refuse a token that had expired.
func refuses(status int) bool { return status >= http.StatusBadRequest }

// keepClock keeps what a refusal tells of the service's clock, and when to come again where its status asks for that.
func keepClock(answer *hit.Answer, date, retryAfter string) {
	answer.Date = date
	if wire.LimitsRequests(answer.Status) || answer.Status == http.StatusServiceUnavailable {
		answer.RetryAfter = retryAfter
	}
}

// decode takes the content coding off the body of an answer: without an Accept-Encoding in the request a service may
// choose one (RFC 9110 section 12.5.3).
func decode(a *hit.Answer, coding string) {
	if coding == "" || a.Truncated {
		return
	}
	a.Body, a.Truncated, a.Err = wire.Decode(coding, a.Body, maxBody)
}
