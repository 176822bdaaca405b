package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"agstest/internal/failure"
)

// The bounds of one exchange and of waiting for a service that asks to come again later.
const (
	defaultTimeout  = 30 * time.Second
	defaultMaxBody  = 1 << 20
	maxHeaderBytes  = 256 << 10              // of one answer, informational answers included
	maxAttempts     = 3                      // of one call
	maxRetryAfter   = 10 * time.Second       // a longer Retry-After is not waited for: the answer stands
	maxTotalWaiting = time.Minute            // of one client
	firstBackOff    = 250 * time.Millisecond // before a second attempt, where the answer does not say how long to wait
	maxTotalBackOff = 10 * time.Second       // of one client, where it helped nothing
	userAgent       = "agstest"
)

// Client calls one service. It speaks HTTP/1.1, so that header names arrive as they were spelt, and HTTP/2 with a
// service that Reach found to speak nothing else. It follows no redirect, keeps no cookie, reads no proxy from the
// process's environment and asks for no compression. Many goroutines may use it at once.
//
// It drops bytes that a service sends behind the end of an answer, but net/http shows them through the standard logger,
// and they can hold secrets: the program that owns the streams has to silence package log.
type Client struct {
	target    Target
	base      string
	transport *http.Transport
	two       *http.Transport // offers HTTP/2 too, for services that speak nothing else
	onlyTwo   atomic.Bool     // two is used
	keepsNone atomic.Bool     // each request has a connection of its own
	waits     waits           // how long the client has waited out answers
	throttle  throttle
	addresses addresses

	resending        sync.Mutex
	resent, repeated map[string]int // by operation: how many exchanges were sent once more; guarded by resending
}

// NewClient checks a target and makes a client for it. Errors are of the kind failure.Usage.
func NewClient(t Target) (*Client, error) {
	base, err := baseAddress(t.URL)
	if err != nil {
		return nil, err
	}
	if t.Proxy != nil {
		if err := checkProxy(t.Proxy); err != nil {
			return nil, err
		}
	}
	switch t.Authorization {
	case Bearer, Raw, "":
	default:
		return nil, failure.Usagef("authorization is %q; it must be bearer or raw", string(t.Authorization))
	}
	for name, value := range t.Headers {
		if !validHeaderName(name) {
			return nil, failure.Usagef(
				"the name of the extra header %q is not a header name (letters, digits and hyphens)", name)
		}
		if strings.ContainsAny(value, "\r\n\x00") {
			return nil, failure.Usagef("the value of the extra header %s holds a line break; a header is one line",
				name)
		}
	}
	if t.Timeout <= 0 {
		t.Timeout = defaultTimeout
	}
	if t.MaxBody <= 0 {
		t.MaxBody = defaultMaxBody
	}
	if t.Sleep == nil {
		t.Sleep = sleep
	}
	config := &tls.Config{}
	if t.TLS != nil {
		config = t.TLS.Clone()
	}
	config.NextProtos = []string{"http/1.1"}
	dialer := &net.Dialer{Timeout: t.Timeout}
	c := &Client{
		target:   t,
		base:     base,
		throttle: throttle{line: make(chan struct{}, 1)},
		transport: &http.Transport{
			Proxy: func(r *http.Request) (*url.URL, error) {
				proxy, _ := r.Context().Value(proxyKey{}).(*url.URL)
				return proxy, nil
			},
			DialContext:            dialLinks(dialer.DialContext),
			OnProxyConnectResponse: ProxyConnected,
			TLSClientConfig:        config,
			TLSHandshakeTimeout:    t.Timeout,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxHeaderBytes,
			MaxIdleConnsPerHost:    64,
			// Shorter than servers' own time-outs, some of which are a second, so that an idle connection is not used
			// at the moment the service closes it.
			IdleConnTimeout: 500 * time.Millisecond,
		},
	}
	c.two = c.transport.Clone()
	c.two.TLSClientConfig.NextProtos = []string{"h2", "http/1.1"}
	c.two.ForceAttemptHTTP2 = true
	c.onlyTwo.Store(t.HTTP == HTTP2)
	return c, nil
}

// Target returns the target of the client, with defaults filled in.
func (c *Client) Target() Target { return c.target }

// Close ends idle connections. The client works on.
func (c *Client) Close() {
	c.transport.CloseIdleConnections()
	c.two.CloseIdleConnections()
}

// SentAgain is how many exchanges were sent once more so far, by operation: those whose Exchange.Resent is set, and
// those whose Exchange.Repeated is.
func (c *Client) SentAgain() (resent, repeated map[string]int) {
	c.resending.Lock()
	defer c.resending.Unlock()
	return maps.Clone(c.resent), maps.Clone(c.repeated)
}

func (c *Client) countSentAgain(x *Exchange) {
	c.resending.Lock()
	defer c.resending.Unlock()
	for which, was := range map[*map[string]int]bool{&c.resent: x.Resent, &c.repeated: x.Repeated} {
		if was && *which == nil {
			*which = map[string]int{}
		}
		if was {
			(*which)[x.Call.Operation]++
		}
	}
}

// HTTP2 tells that the service speaks HTTP/2 only, as Reach has found out: header names arrive in lower case, however
// they are spelt.
func (c *Client) HTTP2() bool { return c.onlyTwo.Load() }

// carrier is the transport that the service can be spoken to with.
func (c *Client) carrier() *http.Transport {
	if c.onlyTwo.Load() {
		return c.two
	}
	return c.transport
}

// speakHTTP2 tries HTTP/2 where an exchange over HTTP/1.1 came to nothing over TLS, and stays with it where the service
// takes it. A server that speaks HTTP/2 only refuses the handshake (RFC 7301 section 3.2), or closes the connection at
// the first request (Go, and so Caddy and Traefik).
func (c *Client) speakHTTP2(ctx context.Context, failed *Exchange) bool {
	text := Explain(failed.Err)
	closed := strings.Contains(text, "closed the connection") || strings.Contains(text, "reset the connection") ||
		strings.Contains(text, "no application protocol") || errors.Is(failed.Err, errNoAnswer)
	if c.target.HTTP == HTTP1 || !strings.HasPrefix(c.base, "https:") || !closed ||
		!c.onlyTwo.CompareAndSwap(false, true) {
		return false
	}
	if x := c.Do(ctx, failed.Call); x.Status != 0 && strings.HasPrefix(x.Proto, "HTTP/2") {
		return true
	}
	c.onlyTwo.Store(false)
	return false
}

type proxyKey struct{}

func validHeaderName(name string) bool {
	for _, r := range name {
		if r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r) {
			return false
		}
	}
	return name != ""
}

// Do sends a call and returns its exchange, never nil. It waits out an answer 429 or 503, in at most three attempts,
// and notes it in Attempts: for as long as its Retry-After says, up to 10 s, or for 250 and 500 ms if that says nothing
// readable. If many answers are 429 or 503, the client spaces its requests from then on, see Spacing.
func (c *Client) Do(ctx context.Context, call Call) *Exchange {
	given, own := call, call.Header
	var err error
	if call.Header, err = c.header(ctx, own); err != nil {
		x := &Exchange{Call: given, URL: c.base + c.pathOf(call.Path), Err: err, Sent: time.Now()}
		x.Received = x.Sent
		return x
	}
	var attempts []Attempt
	// by how much of our own waiting, so that only what helped nothing counts against its narrow bound
	var helped time.Duration
	for {
		_ = c.throttle.turn(ctx, c.target.Sleep) // where the context has ended, what follows says so
		x := c.once(ctx, c.withCookies(call))
		c.keepCookies(x)
		x.Attempts = attempts
		wait, own, again := waitBefore(x, len(attempts))
		c.throttle.answered(x.Sent, tooMany(x))
		if !again {
			c.waits.helped(helped)
		}
		if !again || len(attempts) == maxAttempts-1 {
			return x
		}
		counted, may := c.waits.begin(wait, own)
		if !may {
			c.throttle.giveUp()
			return x
		}
		err := c.target.Sleep(ctx, wait)
		c.waits.end()
		if err != nil {
			return x
		}
		if own {
			helped += counted
		}
		attempts = append(attempts, Attempt{Status: x.Status, RetryAfter: x.Header.Get("Retry-After"), Waited: wait,
			Limited: Limited(x), InWords: saysQuota(x)})
	}
}

// withCookies is a call with the cookies of its client behind those that it has.
func (c *Client) withCookies(call Call) Call {
	u, err := url.Parse(c.base + c.pathOf(call.Path))
	if call.Cookies == nil || err != nil {
		return call
	}
	name, pairs := "Cookie", []string(nil)
	for own, values := range call.Header {
		if strings.EqualFold(own, name) {
			name, pairs = own, append(pairs, values...)
		}
	}
	for _, cookie := range call.Cookies.Cookies(u) {
		pairs = append(pairs, cookie.Name+"="+cookie.Value)
	}
	if len(pairs) > 0 {
		call.Header = call.Header.Clone()
		call.Header[name] = []string{strings.Join(pairs, "; ")}
	}
	return call
}

// keepCookies puts the cookies of an answer into the jar of its call.
func (c *Client) keepCookies(x *Exchange) {
	u, err := url.Parse(x.URL)
	if x.Call.Cookies == nil || err != nil {
		return
	}
	if cookies := (&http.Response{Header: x.Header}).Cookies(); len(cookies) > 0 {
		x.Call.Cookies.SetCookies(u, cookies)
	}
}

// header joins the headers of the target and of the call; the call's win, whatever their spelling.
func (c *Client) header(ctx context.Context, own http.Header) (http.Header, error) {
	var renewed map[string]string
	if c.target.Renewed != nil {
		var err error
		if renewed, err = c.target.Renewed(ctx); err != nil {
			return nil, err
		}
	}
	h := make(http.Header, len(own)+len(c.target.Headers)+len(renewed)+1)
	given := make(map[string]bool, len(own))
	for name, values := range own {
		h[name] = values
		given[strings.ToLower(name)] = true
	}
	for _, more := range []map[string]string{renewed, c.target.Headers} {
		for name, value := range more {
			if !given[strings.ToLower(name)] {
				h[name] = []string{value}
				given[strings.ToLower(name)] = true
			}
		}
	}
	if !given["user-agent"] {
		h["User-Agent"] = []string{userAgent}
	}
	return h, nil
}

// once sends a call, and once more on a fresh connection where it provably never reached the service, or where it may
// be repeated.
func (c *Client) once(ctx context.Context, call Call) *Exchange {
	x, lost := c.carry(ctx, call)
	if repeat := lost == answerLost && (call.Method == http.MethodGet || call.Method == http.MethodHead); repeat ||
		lost == neverArrived {
		c.Close() // what else is idle was opened before the service closed this one
		x, _ = c.carry(ctx, call)
		x.Resent, x.Repeated = x.Resent || !repeat, repeat
	}
	c.countSentAgain(x)
	return x
}

// loss is the fate of a request on a kept connection that the service had closed.
type loss int

const (
	nothingLost  loss = iota
	neverArrived      // provably
	answerLost        // nothing of an answer came, and the request may have arrived
)

// carry sends a call on some connection.
func (c *Client) carry(ctx context.Context, call Call) (x *Exchange, lost loss) {
	x = &Exchange{Call: call, URL: c.base + c.pathOf(call.Path)}
	proxy := c.target.Proxy
	if call.Proxy != nil {
		proxy = call.Proxy
	}
	timeout := c.target.Timeout
	if call.Timeout > 0 {
		timeout = min(timeout, call.Timeout)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, timeoutError{after: timeout})
	defer cancel()
	ctx = context.WithValue(ctx, proxyKey{}, proxy)
	var j journey
	if ctx = j.trace(ctx); proxy == nil {
		ctx = c.addresses.trace(ctx)
	}
	request, err := c.request(ctx, x)
	if err != nil {
		x.Err = err
		x.Sent = time.Now()
		x.Received = x.Sent
		return x, nothingLost
	}
	request.Close = request.Close || c.keepsNone.Load()
	x.Sent = time.Now()
	response, err := c.carrier().RoundTrip(request)
	x.Resent = j.connections.Load() > 1
	if err != nil {
		x.Received = time.Now()
		x.Err = j.sayWhere(ctx, causeOf(ctx, err), timeout)
		x.NoConnection = j.connections.Load() == 0 || refusesOurCertificate(err)
		switch {
		case ctx.Err() != nil:
		case j.neverReached(err):
			return x, neverArrived
		case j.unanswered(err):
			return x, answerLost
		}
		return x, nothingLost
	}
	j.over()
	defer response.Body.Close()
	two := response.ProtoMajor == 2 && response.TLS != nil && response.TLS.NegotiatedProtocol == "h2"
	if response.ProtoMajor != 1 && !two || response.StatusCode < 100 { // net/http lets both pass
		x.Received = time.Now()
		x.Err = errNoAnswer
		return x, nothingLost
	}
	x.Status, x.Proto, x.Header = response.StatusCode, response.Proto, response.Header
	if x.Status == http.StatusSwitchingProtocols {
		// The connection belongs to no HTTP answer any more, and no time limit of the request holds for it.
		x.Received = time.Now()
		x.Err = errUpgraded
		return x, nothingLost
	}
	x.Body, x.Truncated, err = c.read(response)
	x.Received = time.Now()
	if err != nil {
		x.Err = causeOf(ctx, err)
	}
	return x, nothingLost
}

func (c *Client) pathOf(path string) string {
	if c.target.PathOf == nil {
		return path
	}
	return c.target.PathOf(path)
}

func (c *Client) request(ctx context.Context, x *Exchange) (*http.Request, error) {
	if !strings.HasPrefix(x.Call.Path, "/") {
		return nil, fmt.Errorf("the path of the call does not start with a slash")
	}
	var body io.Reader = http.NoBody
	if len(x.Call.Body) > 0 {
		body = bytes.NewReader(x.Call.Body)
	}
	request, err := http.NewRequestWithContext(ctx, x.Call.Method, x.URL, body)
	if err != nil {
		return nil, errors.New("the method or the path of the call cannot be sent over HTTP")
	}
	// some services send a body all the same, which the next call would take for its answer
	if x.Call.Method == http.MethodHead {
		request.Close = true
	}
	if !c.onlyTwo.Load() { // of HTTP/1.1 net/http would repeat what may have arrived; see once
		if request.GetBody = nil; request.Body == http.NoBody && x.Call.Method != http.MethodPost {
			request.Body = io.NopCloser(unrewindable{http.NoBody})
		}
	}
	request.Header = make(http.Header, len(x.Call.Header))
	for name, values := range x.Call.Header {
		if strings.EqualFold(name, "Host") && len(values) > 0 {
			request.Host = values[0]
			continue
		}
		if strings.EqualFold(name, "User-Agent") {
			name = "User-Agent" // any other spelling would be sent beside the transport's own
		}
		request.Header[name] = values
	}
	return request, nil
}
