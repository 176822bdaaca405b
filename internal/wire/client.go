package wire

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"agstest/internal/failure"
)

// The bounds of one exchange and of waiting for a service that asks to come again later.
const (
	defaultTimeout  = 30 * time.Second
	defaultMaxBody  = 1 << 20
	maxHeaderBytes  = 256 << 10        // of one answer, informational answers included
	maxAttempts     = 3                // of one call
	maxRetryAfter   = 10 * time.Second // a longer Retry-After is not waited for: the answer stands
	maxTotalWaiting = time.Minute      // of one client
	userAgent       = "agstest"
)

// Client says calls to one service. It speaks HTTP/1.1, so that the spelling of header names arrives as it was given; it follows no
// redirect, keeps no cookie, reads no proxy from the process's environment and asks for no compression. It may be used by many
// goroutines at once.
//
// Bytes that a service sends behind the end of an answer are dropped, but net/http shows them through the standard logger, and they can
// hold secrets: the program that owns the streams has to silence package log.
type Client struct {
	target    Target
	base      string
	transport *http.Transport
	waited    atomic.Int64 // nanoseconds spent on Retry-After
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
			return nil, failure.Usagef("the name of the extra header %q is not a header name (letters, digits and hyphens)", name)
		}
		if strings.ContainsAny(value, "\r\n\x00") {
			return nil, failure.Usagef("the value of the extra header %s holds a line break; a header is one line", name)
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
	return &Client{
		target: t,
		base:   base,
		transport: &http.Transport{
			Proxy: func(r *http.Request) (*url.URL, error) {
				proxy, _ := r.Context().Value(proxyKey{}).(*url.URL)
				return proxy, nil
			},
			DialContext:            dialer.DialContext,
			TLSClientConfig:        config,
			TLSHandshakeTimeout:    t.Timeout,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxHeaderBytes,
			MaxIdleConnsPerHost:    64,
			// Shorter than what servers grant, so that an idle connection is not used at the moment the service closes it.
			IdleConnTimeout: 3 * time.Second,
		},
	}, nil
}

// Target is what the client was made for, with defaults filled in.
func (c *Client) Target() Target { return c.target }

// Close ends idle connections. The client works on.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

type proxyKey struct{}

func baseAddress(address string) (string, error) {
	const what = "it must look like https://api.example.com"
	if strings.TrimSpace(address) == "" {
		return "", failure.Usagef("no url of the service is given; %s", what)
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", failure.Usagef("the url of the service cannot be read; %s", what)
	}
	switch {
	case u.User != nil:
		return "", failure.Usagef("the url of the service holds a user name or password; leave them out")
	case u.Scheme != "http" && u.Scheme != "https":
		return "", failure.Usagef("the url %q does not start with http:// or https://; %s", address, what)
	case u.Hostname() == "":
		return "", failure.Usagef("the url %q names no host; %s", address, what)
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return "", failure.Usagef("the url of the service has a query or a fragment; /ags/… is appended to it, so %s", what)
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return "", failure.Usagef("the url %q has the port %s; ports go from 1 to 65535", address, port)
		}
	}
	return strings.TrimRight(u.String(), "/"), nil
}

func checkProxy(u *url.URL) error {
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
	default:
		return failure.Usagef("the proxy has the scheme %q; it must be http, https or socks5", u.Scheme)
	}
	if u.Hostname() == "" {
		return failure.Usagef("the proxy names no host; it must look like http://proxy.example.com:3128")
	}
	return nil
}

func validHeaderName(name string) bool {
	for _, r := range name {
		if r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r) {
			return false
		}
	}
	return name != ""
}

// Do sends a call and brings back what came of it; it never returns nil. An answer 429 or 503 with a Retry-After of at most 10 s is
// waited out, in at most three attempts, and noted in Attempts.
func (c *Client) Do(ctx context.Context, call Call) *Exchange {
	call.Header = c.header(call.Header)
	var attempts []Attempt
	for {
		x := c.once(ctx, call)
		x.Attempts = attempts
		wait, ok := retryAfter(x)
		if !ok || len(attempts) == maxAttempts-1 || !c.mayWait(wait) {
			return x
		}
		if err := c.target.Sleep(ctx, wait); err != nil {
			return x
		}
		attempts = append(attempts, Attempt{Status: x.Status, RetryAfter: x.Header.Get("Retry-After"), Waited: wait})
	}
}

// mayWait takes a wait out of the client's total, so that a service that always asks to come later cannot hold up a run for long.
func (c *Client) mayWait(wait time.Duration) bool {
	if c.waited.Add(int64(wait)) > int64(maxTotalWaiting) {
		c.waited.Add(-int64(wait))
		return false
	}
	return true
}

// header joins the headers of the target and of the call; the call's win, whatever their spelling.
func (c *Client) header(own http.Header) http.Header {
	h := make(http.Header, len(own)+len(c.target.Headers)+1)
	given := make(map[string]bool, len(own))
	for name, values := range own {
		h[name] = values
		given[strings.ToLower(name)] = true
	}
	for name, value := range c.target.Headers {
		if !given[strings.ToLower(name)] {
			h[name] = []string{value}
			given[strings.ToLower(name)] = true
		}
	}
	if !given["user-agent"] {
		h["User-Agent"] = []string{userAgent}
	}
	return h
}

func (c *Client) once(ctx context.Context, call Call) *Exchange {
	x := &Exchange{Call: call, URL: c.base + call.Path}
	proxy := c.target.Proxy
	if call.Proxy != nil {
		proxy = call.Proxy
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.target.Timeout, timeoutError{c.target.Timeout})
	defer cancel()
	ctx = context.WithValue(ctx, proxyKey{}, proxy)
	request, err := c.request(ctx, x)
	if err != nil {
		x.Err = err
		x.Sent = time.Now()
		x.Received = x.Sent
		return x
	}
	x.Sent = time.Now()
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		x.Received = time.Now()
		x.Err = causeOf(ctx, err)
		return x
	}
	defer response.Body.Close()
	if response.ProtoMajor != 1 || response.StatusCode < 100 { // net/http lets both pass
		x.Received = time.Now()
		x.Err = errNoAnswer
		return x
	}
	x.Status, x.Proto, x.Header = response.StatusCode, response.Proto, response.Header
	if x.Status == http.StatusSwitchingProtocols {
		// The connection belongs to no HTTP answer any more, and no time limit of the request holds for it.
		x.Received = time.Now()
		x.Err = errUpgraded
		return x
	}
	x.Body, x.Truncated, err = c.read(response)
	x.Received = time.Now()
	if err != nil {
		x.Err = causeOf(ctx, err)
	}
	return x
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

// read takes at most MaxBody bytes of an answer, after taking off a content coding: without an Accept-Encoding in the request a
// service may choose one (RFC 9110 section 12.5.3).
func (c *Client) read(response *http.Response) (body []byte, truncated bool, err error) {
	counted := &countingReader{from: response.Body, left: c.target.MaxBody + 1}
	from, err := decoder(response.Header.Get("Content-Encoding"), counted)
	if errors.Is(err, io.EOF) && counted.read == 0 {
		return nil, false, nil // an empty body has nothing to decode
	}
	if err == nil {
		body, err = io.ReadAll(io.LimitReader(from, c.target.MaxBody+1))
	}
	if int64(len(body)) > c.target.MaxBody || counted.left <= 0 {
		return body[:min(int64(len(body)), c.target.MaxBody)], true, nil
	}
	var coding codingError
	switch {
	case err == nil:
		return body, false, nil
	case errors.As(err, &coding):
		return body, false, err
	case counted.err != nil && !errors.Is(counted.err, io.ErrUnexpectedEOF):
		return body, false, counted.err
	case from != io.Reader(counted) && counted.read == response.ContentLength: // all came, and it is not enough
		return body, false, codingError{strings.ToLower(response.Header.Get("Content-Encoding")), err}
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return body, false, cutError{counted.read, response.ContentLength, err}
	case from != io.Reader(counted):
		return body, false, codingError{strings.ToLower(response.Header.Get("Content-Encoding")), err}
	}
	return body, false, err
}

// decoder takes a content coding off what it reads.
func decoder(coding string, from io.Reader) (io.Reader, error) {
	switch coding = strings.ToLower(strings.TrimSpace(coding)); coding {
	case "", "identity":
		return from, nil
	case "gzip", "x-gzip":
		return gzip.NewReader(from)
	case "deflate":
		return zlib.NewReader(from)
	}
	return nil, codingError{coding, errors.New("unknown content coding")}
}

// Decode takes a content coding (the value of Content-Encoding) off a body that came whole, and gives so many bytes of it at most;
// truncated tells that there were more. Errors are ErrCoding and have words in Explain.
func Decode(coding string, body []byte, most int64) (decoded []byte, truncated bool, err error) {
	if len(body) == 0 {
		return nil, false, nil // an empty body has nothing to decode
	}
	from, err := decoder(coding, bytes.NewReader(body))
	if err == nil {
		decoded, err = io.ReadAll(io.LimitReader(from, most+1))
	}
	if int64(len(decoded)) > most {
		return decoded[:most], true, nil
	}
	if err != nil {
		return nil, false, codingError{strings.ToLower(strings.TrimSpace(coding)), errors.New(err.Error())}
	}
	return decoded, false, nil
}

// countingReader counts what came over the wire and bounds it, because a compressed body can be endless without giving a byte.
type countingReader struct {
	from       io.Reader
	read, left int64
	err        error // other than io.EOF
}

func (r *countingReader) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > r.left {
		p = p[:r.left]
	}
	n, err := r.from.Read(p)
	r.read += int64(n)
	r.left -= int64(n)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// retryAfter tells how long an answer asks to wait, where it does and the wait is bearable.
func retryAfter(x *Exchange) (time.Duration, bool) {
	if x.Err != nil || x.Status != http.StatusTooManyRequests && x.Status != http.StatusServiceUnavailable {
		return 0, false
	}
	text := strings.TrimSpace(textproto.MIMEHeader(x.Header).Get("Retry-After"))
	if text == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		wait := time.Duration(seconds) * time.Second
		return wait, wait <= maxRetryAfter
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	now := x.Received
	if date, err := http.ParseTime(x.Header.Get("Date")); err == nil {
		now = date // both by the service's clock
	}
	wait := max(at.Sub(now), 0)
	return wait, wait <= maxRetryAfter
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
