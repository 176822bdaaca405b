// Package wire says something to a service and remembers it: a call goes out, an exchange comes back, and what becomes a record is
// redacted on the way. It judges nothing.
package wire

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"
	"time"
)

// Authorization is how refresh and signOut send their token; the pages do not say (ambiguity 7.1).
type Authorization string

// The two ways: "Bearer <token>" (RFC 6750) or the token alone.
const (
	Bearer Authorization = "bearer"
	Raw    Authorization = "raw"
)

// HTTP is the version of the protocol that a service is spoken to with.
type HTTP string

// The versions. Auto is HTTP/1.1, so that header names arrive as they are spelt, and HTTP/2 with a service that speaks nothing else.
const (
	HTTP1    HTTP = "1.1"
	HTTP2    HTTP = "2"
	HTTPAuto HTTP = "auto"
)

// Target is a service and how to reach it. The zero value of each field but URL works.
type Target struct {
	URL           string // base address; operation paths start with /ags
	Tenant        string // nv-tenant-id
	Service       string // x-auth-service-id; empty: none is known yet
	Authorization Authorization
	Headers       map[string]string // sent with every request
	TLS           *tls.Config
	Proxy         *url.URL
	HTTP          HTTP          // empty: auto
	Timeout       time.Duration // for one exchange, from dial to the last byte; 0 means 30 s
	// PathOf maps the path of an operation, such as /ags/refresh, to that of this service. Nil means as it is.
	PathOf  func(string) string
	MaxBody int64 // bytes read of one answer; 0 means 1 MiB
	// Sleep waits before a request is repeated because of Retry-After, and gives up when the context ends. Nil means real time.
	Sleep func(context.Context, time.Duration) error
}

// Call is one request as it is to be sent. Nothing is added to it but what HTTP needs (Host, Content-Length, User-Agent).
type Call struct {
	Operation string // a name of ags.Operations, or empty for any other call
	Method    string
	Path      string      // with query; below Target.URL
	Header    http.Header // keys are sent as they are spelt here
	Body      []byte
	Proxy     *url.URL // overrides Target.Proxy for this call
	// Cookies are sent with the call, and those of the answer are put there (RFC 6265); nil: none.
	Cookies http.CookieJar
	// Timeout bounds each attempt of the call, but not what is waited between them; 0: Target.Timeout alone.
	Timeout time.Duration
}

// Exchange is what was sent and what came back. It holds secrets: only Redactor.Record makes something fit for a report.
type Exchange struct {
	Call   Call   // as it was sent: with the headers of the target and User-Agent
	URL    string // the full address
	Status int    // 0: no answer
	Proto  string
	Header http.Header
	Body   []byte
	// Truncated: the body was longer than Target.MaxBody.
	Truncated bool
	// Sent is taken before dialling, Received after the last byte; both carry the monotonic clock. They belong to the last attempt.
	Sent, Received time.Time
	// Attempts lists answers 429 and 503 with Retry-After that were waited out before this one.
	Attempts []Attempt
	// Resent: it was sent once more on a fresh connection, since the service had closed the one that was kept open before it had the whole
	// request, or before it answered one of a method that may be repeated (RFC 9110 section 9.2.2).
	Resent bool
	// Err says why there is no whole answer: dial, TLS, time-out, cut. An answer that breaks off keeps its status and the bytes
	// that came.
	Err error
}

// Attempt is an answer that asked to come again later.
type Attempt struct {
	Status     int
	RetryAfter string
	Waited     time.Duration
}

// Duration is the time from sending to the last byte of the answer.
func (x *Exchange) Duration() time.Duration { return x.Received.Sub(x.Sent) }
