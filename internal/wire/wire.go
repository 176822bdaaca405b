// Package wire sends calls to a service and records them: a [Call] goes out, an [Exchange] comes back. Only the Record
// of an exchange may be written down, because internal/redact has removed its secrets. The package judges nothing.
//
// Start with [Client]: its Do always returns an exchange, with the error in it. It waits out 429 and 503 within bounds,
// sends again only requests that provably never arrived (internal/delivery), and explains a failed connection
// ([Explain]). [GatewayPage] tells the page of a gateway from an answer of the service.
package wire

import (
	"context"
	"crypto/tls"
	"errors"
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

// The versions. Auto is HTTP/1.1, so that header names arrive as they are spelt, and HTTP/2 with a service that speaks
// nothing else.
const (
	HTTP1    HTTP = "1.1"
	HTTP2    HTTP = "2"
	HTTPAuto HTTP = "auto"
)

// Target is a service and how to reach it. The zero value of each field but URL works.
type Target struct {
	URL           string // base address; operation paths start with /ags
	Tenant        string // nv-tenant-id
	Service       string // x-auth-service-id; empty: not known yet
	Authorization Authorization
	Headers       map[string]string // sent with every request
	// Renewed returns further headers, whose values change from time to time; nil: there are none. If it fails, nothing
	// is sent, and the error of the exchange is that of Renewed, which is best an *UnsentError.
	Renewed func(context.Context) (map[string]string, error)
	TLS     *tls.Config
	Proxy   *url.URL
	HTTP    HTTP          // empty: auto
	Timeout time.Duration // for one exchange, from dial to the last byte; 0 means 30 s
	// PathOf maps the path of an operation, such as /ags/refresh, to that of this service; nil keeps it.
	PathOf  func(string) string
	MaxBody int64 // bytes read of one answer; 0 means 1 MiB
	// Sleep waits before a request is repeated because of Retry-After, and gives up when the context ends. Nil means real
	// time.
	Sleep func(context.Context, time.Duration) error
}

// Call is one request as it is sent. The client adds only what HTTP needs (Host, Content-Length, User-Agent).
type Call struct {
	Operation string // a name of ags.Operations, or empty for any other call
	Method    string
	Path      string      // with query; below Target.URL
	Header    http.Header // keys are sent as they are spelt here
	Body      []byte
	Proxy     *url.URL // overrides Target.Proxy for this call
	// Cookies are sent with the call, and those of the answer are put there (RFC 6265); nil: none.
	Cookies http.CookieJar
	// Timeout bounds each attempt of the call, but not the waits between them; 0: Target.Timeout alone.
	Timeout time.Duration
}

// Exchange is a request and its answer. It holds secrets: only its Record is fit for a report.
type Exchange struct {
	Call   Call   // as it was sent: with the headers of the target and User-Agent
	URL    string // the full address
	Status int    // 0: no answer
	Proto  string
	Header http.Header
	Body   []byte
	// Truncated: the body was longer than Target.MaxBody.
	Truncated bool
	// Sent is taken before dialling, Received after the last byte; both carry the monotonic clock. They belong to the last
	// attempt.
	Sent, Received time.Time
	// Attempts lists answers 429 and 503 with Retry-After that were waited out before this one.
	Attempts []Attempt
	// Resent tells that it was sent once more on a fresh connection, because the service had closed the kept one and
	// provably never had the whole request (RFC 9112 section 9.3.1).
	Resent bool
	// Repeated tells that it was sent once more on a fresh connection, because the service had closed the kept one, and
	// the method may be repeated (RFC 9110 section 9.2.2). The service may have had the first.
	Repeated bool
	// NoConnection tells that no connection came about, so that nothing of the request reached anybody: dialling, a
	// proxy or TLS failed. It says nothing about the request.
	NoConnection bool
	// Err says why there is no whole answer: dial, TLS, time-out, cut. An answer that breaks off keeps its status and the
	// bytes that came.
	Err error
}

// UnsentError says that a request was not sent, because one of its headers has no value. It says nothing about the
// service.
type UnsentError struct {
	Header string
	Err    error
}

func (u *UnsentError) Error() string {
	return "the header " + u.Header + " has no value: " + u.Err.Error()
}
func (u *UnsentError) Unwrap() error { return u.Err }

// Unsent tells that a request was not sent for want of the value of a header, and why; nil: it was sent.
func (x *Exchange) Unsent() *UnsentError {
	var u *UnsentError
	if errors.As(x.Err, &u) {
		return u
	}
	return nil
}

// Attempt is an answer that asked to come again later.
type Attempt struct {
	Status     int
	RetryAfter string
	Waited     time.Duration
	// Limited: the answer says that there were too many requests: by its status, by Retry-After, or by a header that tells
	// of a limit on the rate.
	Limited bool
	// InWords: a gateway says so in JSON, under a status that means something else.
	InWords bool
}

// Duration is the time from sending to the last byte of the answer.
func (x *Exchange) Duration() time.Duration { return x.Received.Sub(x.Sent) }
