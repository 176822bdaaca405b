package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
	"agstest/internal/ports"
)

// reply is an answer of a service or of what stands before it.
type reply struct {
	status            int
	contentType, body string
	location          string
}

func (a reply) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", a.contentType)
	if a.location != "" {
		w.Header().Set("Location", a.location)
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

// answering serves one answer to discovery and another to sign-ons.
func answering(t *testing.T, discovery, signOn reply) string {
	return served(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "orange-tv", r.Header.Get("nv-tenant-id"))
		switch r.Method + r.URL.Path {
		case "GET/ags/servicediscovery":
			discovery.write(w)
		case "POST/ags/signOnWithSessionToken":
			signOn.write(w)
		default:
			t.Errorf("%s %s was called", r.Method, r.URL)
		}
	})
}

func page(status int, title string) reply {
	return reply{status: status, contentType: "text/html", body: "<html>\r\n<head><title>" + title + "</title></head><body><h1>x</h1></body></html>"}
}

func TestReach(t *testing.T) {
	refusal := reply{status: 403, contentType: "application/json", body: `{"code":20020}`}
	plainToTLS := httptest.NewTLSServer(http.NotFoundHandler())
	defer plainToTLS.Close()
	tlsToPlain := served(t, func(http.ResponseWriter, *http.Request) {})
	closed := ports.Closed(t)
	cut := served(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "9")
		_, _ = io.WriteString(w, "{")
	})
	mute := served(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	html200 := reply{status: 200, contentType: "text/html; charset=utf-8", body: "<p>login"}
	both := func(a reply) string { return answering(t, a, a) }

	const fastifyDown = `{"statusCode":500,"code":"FST_REPLY_FROM_INTERNAL_SERVER_ERROR","error":"Internal Server Error","message":"connect ECONNREFUSED 127.0.0.1:1"}`
	const tinyproxyDown = "<html><head><title>500 Unable to connect</title></head><body><h1>Unable to connect</h1><p>Tinyproxy was unable to connect to the remote web server.</p></body></html>"
	const gateway = "was answered by what looks like a gateway "
	down := "instead of by an AGS: the gateway is up, and the service behind it is down or shut off; wait until it is up, or check url"
	for name, c := range map[string]struct{ address, want, key string }{
		"fine":            {both(reply{status: 200, contentType: "application/json", body: `{"availableServices":[]}`}), "", ""},
		"no services":     {answering(t, reply{status: 404, contentType: "text/html", body: "<html>"}, refusal), "", ""},
		"refusal":         {both(reply{status: 401}), "", ""},
		"broken service":  {both(reply{status: 500, contentType: "text/html", body: "<html>"}), "", ""},
		"busy with JSON":  {both(reply{status: 503, contentType: "application/json", body: `{"code":503}`}), "", ""},
		"dead":            {"http://" + closed, "got no answer: the connection to " + closed + " was refused: nothing listens there", "url"},
		"portal":          {both(html200), "was answered with an HTML page (status 200) instead of JSON; check that url is an AGS and no portal or proxy stands before it", "url"},
		"portal in JSON":  {both(reply{status: 200, contentType: "application/json", body: " <!DOCTYPE html><title>Lounge</title>"}), "was answered with an HTML page (status 200) with the page “Lounge” instead of JSON; check that url is an AGS and no portal or proxy stands before it", "url"},
		"no JSON":         {both(reply{status: 200, contentType: "text/plain", body: "It works!"}), "was answered with status 200 and 9 bytes that are not JSON; check that url is an AGS", "url"},
		"redirect":        {both(reply{status: 302, location: "https://u:pw@login.example.com/x?token=s3cret"}), "was redirected with status 302 to https://login.example.com; redirects are not followed: write the final address into url", "url"},
		"redirect inside": {both(reply{status: 301, location: "/login?token=s3cret"}), "was redirected with status 301 to another path of the same host; redirects are not followed: write the final address into url", "url"},
		"to TLS":          {answering(t, reply{status: 301, location: "https://127.0.0.1/ags/servicediscovery"}, refusal), "was redirected with status 301 to https://127.0.0.1: the gateway there wants TLS; write https:// in url", "url"},
		"proxy":           {both(reply{status: 407}), "was refused: the proxy wants a user name and password, or other ones; put them into the address of the proxy", "url"},
		"cut":             {cut, "got no whole answer: the answer was cut after 1 of 9 bytes", "url"},
		"http to https":   {"http" + strings.TrimPrefix(plainToTLS.URL, "https"), "was refused because the service speaks TLS on this port; write https:// in url", "url"},
		"closed, no TLS":  {mute, "got no answer: the service closed the connection without a whole answer", "url"},
		"https to http":   {"https" + strings.TrimPrefix(tlsToPlain, "http"), "got no answer: the service does not speak TLS on this port; if it is a plain one, write http:// in url", "url"},

		"502":                 {both(page(502, "502 Bad Gateway")), gateway + "(status 502) with the page “502 Bad Gateway” " + down, "url"},
		"520":                 {both(page(520, "Unknown Error")), gateway + "(status 520) with the page “Unknown Error” " + down, "url"},
		"502 without page":    {both(reply{status: 502}), gateway + "(status 502) " + down, "url"},
		"503":                 {both(reply{status: 503, contentType: "text/html", body: "<html><body><h1>503 Service Unavailable</h1>\nNo server"}), gateway + "(status 503) with the page “503 Service Unavailable” " + down, "url"},
		"503 of Envoy":        {both(reply{status: 503, contentType: "text/plain", body: "upstream connect error or disconnect/reset before headers."}), gateway + "(status 503) with the page “upstream connect error or disconnect/reset before headers.” " + down, "url"},
		"500 of Fastify":      {both(reply{status: 500, contentType: "application/json", body: fastifyDown}), gateway + "(status 500) instead of by an AGS: it cannot reach the service (ECONNREFUSED), or the service cannot reach what it needs; wait until it is up, or check url", "url"},
		"500 of tinyproxy":    {both(reply{status: 500, contentType: "text/html", body: tinyproxyDown}), gateway + "(status 500) with the page “500 Unable to connect” instead of by an AGS: it cannot reach the service (Tinyproxy was unable to connect to the remote web server), or the service cannot reach what it needs; wait until it is up, or check url", "url"},
		"500, a fault":        {both(reply{status: 500, contentType: "application/json", body: `{"code":500,"message":"a fault"}`}), "", ""},
		"500 for discovery":   {answering(t, reply{status: 500, contentType: "application/json", body: fastifyDown}, refusal), "", ""},
		"504":                 {both(page(504, "504 Gateway Time-out")), gateway + "(status 504) with the page “504 Gateway Time-out” " + down, "url"},
		"certificate":         {both(page(400, "400 No required SSL certificate was sent")), gateway + "(status 400) with the page “400 No required SSL certificate was sent” instead of by an AGS: it wants a client certificate, or refuses ours; give one as tls.cert and tls.key", "tls"},
		"large headers":       {both(page(400, "400 Request Header Or Cookie Too Large")), gateway + "(status 400) with the page “400 Request Header Or Cookie Too Large” instead of by an AGS: the headers of the request are too large for it; check headers", "headers"},
		"firewall":            {both(page(403, "Attention \x1b[31mRequired!\u202e &amp; s3cret-of-the-gateway")), gateway + "(status 403) with the page “Attention [31mRequired! & GATEWAY” instead of by an AGS: it may guard the service or know no way to it: check url, and ask who runs the gateway", "url"},
		"unknown host":        {both(page(421, "421 Misdirected Request")), gateway + "(status 421) with the page “421 Misdirected Request” instead of by an AGS: it does not know the host; check the host in url", "url"},
		"no route":            {both(reply{status: 404, contentType: "text/plain", body: "404 page not found\n"}), gateway + "(status 404) with the page “404 page not found” instead of by an AGS: it knows no way to an AGS at this address; check the host and the path in url", "url"},
		"502 for discovery":   {answering(t, page(502, "502 Bad Gateway"), refusal), "", ""},
		"login for discovery": {answering(t, reply{status: 302, location: "/login"}, refusal), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, Target{URL: c.address, Tenant: "orange-tv", Headers: map[string]string{"X-Gateway-Key": "s3cret-of-the-gateway"},
				Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
			_, err := client.Reach(t.Context())
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			want := "GET " + c.address + "/ags/servicediscovery " + c.want
			got := err.Error()
			if before, after, found := strings.Cut(want, "GATEWAY"); found { // the mark of a secret differs in each run
				assert.True(t, strings.HasPrefix(got, before) && strings.HasSuffix(got, after), got)
				assert.NotContains(t, got, "s3cret")
			} else {
				assert.Equal(t, want, got)
			}
			assert.Equal(t, failure.Setup, failure.KindOf(err))
			assert.Equal(t, c.key, KeyOf(err))
		})
	}

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := newClient(t, Target{URL: "http://127.0.0.1:1"}).Reach(cancelled)
	assert.True(t, errors.Is(err, context.Canceled))
}

// TestReachWaitsForAServiceThatIsBeingStarted: some seconds, and no longer than it is told to.
func TestReachWaitsForAServiceThatIsBeingStarted(t *testing.T) {
	for name, c := range map[string]struct {
		status     int
		retryAfter string
		down       time.Duration // by the clock of Sleep
		reached    bool
	}{
		"503 for 3 s":                {503, "", 3 * time.Second, true},
		"502 for 3 s":                {502, "", 3 * time.Second, true},
		"504 for 3 s":                {504, "", 3 * time.Second, true},
		"522 for 3 s":                {522, "", 3 * time.Second, true},
		"529 for 3 s":                {529, "", 3 * time.Second, true},
		"503 that asks for a second": {503, "1", 4 * time.Second, true},
		"503 for a minute":           {503, "", time.Minute, false},
		"503 that asks for a minute": {503, "60", 2 * time.Second, false},
		"500 for 3 s":                {500, "", 3 * time.Second, true},
		"500 for a minute":           {500, "", time.Minute, true}, // which is a fault of an AGS, and judged
	} {
		t.Run(name, func(t *testing.T) {
			var slept, asked atomic.Int64
			address := served(t, func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				if time.Duration(slept.Load()) >= c.down {
					reply{status: 200, contentType: "application/json", body: `{"availableServices":[]}`}.write(w)
					return
				}
				if c.retryAfter != "" {
					w.Header().Set("Retry-After", c.retryAfter)
				}
				reply{status: c.status, contentType: "text/html", body: "<html><title>x</title>"}.write(w)
			})
			client := newClient(t, Target{URL: address, Sleep: func(ctx context.Context, d time.Duration) error {
				slept.Add(int64(d))
				return ctx.Err()
			}})
			x, err := client.Reach(t.Context())
			assert.Equal(t, c.reached, err == nil, "%v", err)
			if c.down <= longestStart && c.reached {
				assert.Equal(t, 200, x.Status)
				assert.Equal(t, c.status, x.Attempts[0].Status)
			}
			assert.LessOrEqual(t, time.Duration(slept.Load()), longestStart+3*time.Second)
			assert.LessOrEqual(t, asked.Load(), int64(16))
		})
	}
}

// TestReachBlamesTheNameThatWasSent: where the file says which name TLS asks for, a certificate for another is a
// matter of that line.
func TestReachBlamesTheNameThatWasSent(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = discardLog()
	server.StartTLS()
	defer server.Close()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	_, err := newClient(t, Target{URL: server.URL, TLS: &tls.Config{RootCAs: pool, ServerName: "ags.agstest.invalid"}}).Reach(t.Context())
	require.ErrorContains(t, err, "the certificate of the service is not for the name ags.agstest.invalid; check sni")
	assert.Equal(t, "sni", KeyOf(err))
}

// TestReachSpeaksHTTP2: a service that speaks nothing else, in the two ways in which such services refuse HTTP/1.1.
func TestReachSpeaksHTTP2(t *testing.T) {
	for name, protocols := range map[string][]string{"closes at the first request": nil, "refuses the handshake": {"h2", "none of these"}} {
		t.Run(name, func(t *testing.T) {
			var seen []string
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen = append(seen, r.Proto)
				fmt.Fprint(w, `{"availableServices":[]}`)
			}))
			server.EnableHTTP2 = true
			server.Config.Protocols = new(http.Protocols)
			server.Config.Protocols.SetHTTP2(true)
			server.TLS = &tls.Config{}
			if protocols != nil {
				server.TLS.NextProtos = protocols
			} else {
				server.TLS.NextProtos = []string{"h2"}
			}
			server.StartTLS()
			defer server.Close()
			pool := x509.NewCertPool()
			pool.AddCert(server.Certificate())
			client := newClient(t, Target{URL: server.URL, TLS: &tls.Config{RootCAs: pool}})
			_, err := client.Reach(t.Context())
			require.NoError(t, err)
			assert.True(t, client.HTTP2())
			x := client.Do(t.Context(), Call{Method: "GET", Path: "/ags/servicediscovery"})
			require.NoError(t, x.Err)
			assert.Equal(t, "HTTP/2.0", x.Proto)
			assert.NotContains(t, seen, "HTTP/1.1")
		})
	}
	plain := served(t, func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
	client := newClient(t, Target{URL: plain})
	_, err := client.Reach(t.Context())
	require.Error(t, err)
	assert.False(t, client.HTTP2())
}
