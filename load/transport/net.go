package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"agstest/internal/failure"
	"agstest/internal/wire"
	"agstest/load/hit"
)

// netTransport is net/http's own transport, for HTTP/2 and proxies, which the lean one does not do. It costs about
// three times the CPU.
type netTransport struct {
	base    *url.URL
	trace   bool
	why     string
	carrier *http.Transport
	ctx     context.Context
	cancel  context.CancelFunc
	bodies  sync.Pool // of *bytes.Buffer

	carriedAgain, lostAgain atomic.Int64 // requests on connections that had carried one: answered, and lost
}

// fewestLost is how many requests on kept connections must be lost, with none answered, before connections are kept no
// more.
const fewestLost = 2

// closesEach tells that what listens there closes each connection behind one answer, and does not say so, as tinyproxy
// does, so that a request on a kept one is lost or not by chance.
func (n *netTransport) closesEach() bool {
	return n.lostAgain.Load() >= fewestLost && n.carriedAgain.Load() == 0
}

func newNetTransport(base *url.URL, config *tls.Config, proxy *url.URL, o Options, why string) *netTransport {
	dialer := &net.Dialer{Timeout: o.Timeout}
	n := &netTransport{base: base, trace: o.Trace, why: why, carrier: &http.Transport{
		DialContext: dialer.DialContext, TLSClientConfig: config, ForceAttemptHTTP2: true, DisableCompression: true,
		MaxIdleConnsPerHost: 1 << 16, IdleConnTimeout: longestIdle, MaxResponseHeaderBytes: maxHeader,
	}}
	if proxy != nil {
		n.carrier.Proxy, n.carrier.OnProxyConnectResponse = http.ProxyURL(proxy), wire.ProxyConnected
	}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	n.bodies.New = func() any { return new(bytes.Buffer) }
	return n
}

func (n *netTransport) String() string { return "net/http, " + n.why }

func (n *netTransport) Exchange(request *hit.Request, answer *hit.Answer, deadline time.Time,
	traced *hit.Phases) func() {
	body := n.bodies.Get().(*bytes.Buffer)
	body.Reset()
	ctx, cancel := context.WithDeadline(n.ctx, deadline)
	answer.Err = n.carry(ctx, request, answer, body, traced)
	if answer.Err != nil && n.ctx.Err() != nil {
		answer.Err = hit.ErrAborted
	}
	return func() {
		cancel()
		n.bodies.Put(body)
	}
}

func (n *netTransport) carry(ctx context.Context, request *hit.Request, answer *hit.Answer, body *bytes.Buffer,
	traced *hit.Phases) error {
	// net/http itself sends requests again if it may (RFC 9110 section 9.2.2, RFC 9113 section 8.7); this must not stay
	// hidden.
	var connections atomic.Int32
	var kept atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
		connections.Add(1)
		kept.Store(got.Reused)
	}})
	defer func() { answer.Resent = connections.Load() > 1 }()
	var seen *netTrace
	if n.trace {
		seen = &netTrace{}
		ctx = httptrace.WithClientTrace(ctx, seen.client())
		defer seen.tell(traced)
	}
	out, err := http.NewRequestWithContext(ctx, request.Method, "", bytes.NewReader(request.Body))
	if err != nil {
		return err
	}
	path, err := url.Parse(strings.TrimSuffix(n.base.Path, "/") + request.Path)
	if err != nil {
		return fmt.Errorf("the path of the request is not one: %w", err)
	}
	out.URL = n.base.ResolveReference(path)
	out.Host = n.base.Host
	out.Header = make(http.Header, len(request.Header)+2)
	out.Header["User-Agent"] = []string{userAgent}
	for _, field := range request.Header {
		switch {
		case strings.EqualFold(field.Name, "Host"):
			out.Host = field.Value
		case strings.EqualFold(field.Name, "User-Agent"):
			out.Header["User-Agent"] = []string{field.Value}
		default:
			out.Header[field.Name] = []string{field.Value}
		}
	}
	if len(request.Authorization) > 0 {
		out.Header["Authorization"] = []string{string(request.Authorization)}
	}
	out.Close = n.closesEach()
	in, err := n.carrier.RoundTrip(out)
	n.countKept(ctx, kept.Load(), err)
	if err != nil {
		return err
	}
	defer in.Body.Close()
	two := in.TLS != nil && in.TLS.NegotiatedProtocol == "h2"
	if in.StatusCode < 100 || in.ProtoMajor != 1 && !two { // net/http lets both pass
		return errNoAnswer
	}
	if in.StatusCode == http.StatusSwitchingProtocols {
		return errUpgraded
	}
	return fill(answer, in, request, body)
}

// fill reads the body of an answer whose head net/http has read, and takes from both what an exchange needs.
func fill(answer *hit.Answer, in *http.Response, request *hit.Request, body *bytes.Buffer) error {
	_, err := io.Copy(body, io.LimitReader(in.Body, maxBody+1))
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	answer.Truncated = body.Len() > maxBody
	answer.Status, answer.Body = in.StatusCode, body.Bytes()[:min(body.Len(), maxBody)]
	answer.Header = netHeader(in.Header)
	if refuses(in.StatusCode) {
		keepClock(answer, in.Header.Get("Date"), in.Header.Get("Retry-After"))
	}
	if request.KeepCookies {
		answer.SetCookie = in.Header.Values("Set-Cookie")
	}
	decode(answer, in.Header.Get("Content-Encoding"))
	return answer.Err
}

// countKept counts what came of a request on a connection that had carried one before.
func (n *netTransport) countKept(ctx context.Context, kept bool, err error) {
	switch {
	case !kept || ctx.Err() != nil:
	case err == nil:
		n.carriedAgain.Add(1)
	default:
		n.lostAgain.Add(1)
	}
}

// netTrace notes the moments of one exchange. net/http reports them on goroutines of its own, some after the exchange
// has ended.
type netTrace struct {
	mu                        sync.Mutex // guards the rest
	phases                    hit.Phases
	handshake, written, first time.Time
}

func (t *netTrace) client() *httptrace.ClientTrace {
	connect := connectTrace(&t.phases)
	locked := func(f func()) {
		t.mu.Lock()
		defer t.mu.Unlock()
		defer failure.Guard()
		f()
	}
	return &httptrace.ClientTrace{
		DNSStart:     func(i httptrace.DNSStartInfo) { locked(func() { connect.DNSStart(i) }) },
		DNSDone:      func(i httptrace.DNSDoneInfo) { locked(func() { connect.DNSDone(i) }) },
		ConnectStart: func(network, to string) { locked(func() { connect.ConnectStart(network, to) }) },
		ConnectDone: func(network, to string,
			err error) {
			locked(func() { connect.ConnectDone(network, to, err) })
		},
		TLSHandshakeStart: func() { locked(func() { t.handshake = time.Now() }) },
		TLSHandshakeDone: func(tls.ConnectionState,
			error) {
			locked(func() { t.phases.TLS = time.Since(t.handshake) })
		},
		GotConn:              func(i httptrace.GotConnInfo) { locked(func() { t.phases.NewConnection = !i.Reused }) },
		WroteRequest:         func(httptrace.WroteRequestInfo) { locked(func() { t.written = time.Now() }) },
		GotFirstResponseByte: func() { locked(func() { t.first = time.Now() }) },
	}
}

// tell sets the phases of the exchange, which ends now. A connection that was opened while another was given back first
// does not count.
func (t *netTrace) tell(phases *hit.Phases) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*phases = t.phases
	if !phases.NewConnection {
		phases.DNS, phases.Connect, phases.TLS = 0, 0, 0
	}
	if !t.first.IsZero() {
		phases.Wait, phases.Read = max(0, t.first.Sub(t.written)), time.Since(t.first)
	}
}

func (n *netTransport) Abort() { n.cancel() }

func (n *netTransport) Close() {
	n.cancel()
	n.carrier.CloseIdleConnections()
}
