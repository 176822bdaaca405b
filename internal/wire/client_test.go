package wire

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"agstest/internal/failure"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newClient(t testing.TB, target Target) *Client {
	t.Helper()
	c, err := NewClient(target)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func served(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// rawServer gives each connection to a function, which gets the request's head and body as they came.
func rawServer(t testing.TB, serve func(conn net.Conn, request []byte)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serve(conn, readRequest(conn))
			conn.Close()
		}
	}()
	t.Cleanup(func() { listener.Close(); <-done })
	return "http://" + listener.Addr().String()
}

func readRequest(conn net.Conn) []byte {
	var all bytes.Buffer
	r := bufio.NewReader(io.TeeReader(conn, &all))
	request, err := http.ReadRequest(r)
	if err != nil {
		return nil
	}
	io.Copy(io.Discard, request.Body)
	return all.Bytes()
}

func TestNewClientRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		target Target
		want   string
	}{
		"no url":               {Target{}, "no url of the service is given; it must look like https://api.example.com"},
		"no scheme":            {Target{URL: "api.example.com"}, `the url "api.example.com" does not start with http:// or https://; it must look like https://api.example.com`},
		"other scheme":         {Target{URL: "ftp://api.example.com"}, `the url "ftp://api.example.com" does not start with http:// or https://; it must look like https://api.example.com`},
		"no host":              {Target{URL: "https://"}, `the url "https://" names no host; it must look like https://api.example.com`},
		"unreadable":           {Target{URL: "https://[::1"}, "the url of the service cannot be read; it must look like https://api.example.com"},
		"password":             {Target{URL: "https://u:p@api.example.com"}, "the url of the service holds a user name or password; leave them out"},
		"query":                {Target{URL: "https://api.example.com?x=1"}, "the url of the service has a query or a fragment; /ags/… is appended to it, so it must look like https://api.example.com"},
		"port":                 {Target{URL: "https://api.example.com:99999"}, `the url "https://api.example.com:99999" has the port 99999; ports go from 1 to 65535`},
		"authorization":        {Target{URL: "https://a.example.com", Authorization: "basic"}, `authorization is "basic"; it must be bearer or raw`},
		"header name":          {Target{URL: "https://a.example.com", Headers: map[string]string{"X Env": "a"}}, `the name of the extra header "X Env" is not a header name (letters, digits and hyphens)`},
		"header value":         {Target{URL: "https://a.example.com", Headers: map[string]string{"X-Env": "a\r\nb: c"}}, "the value of the extra header X-Env holds a line break; a header is one line"},
		"proxy scheme":         {Target{URL: "https://a.example.com", Proxy: &url.URL{Scheme: "ftp", Host: "p"}}, `the proxy has the scheme "ftp"; it must be http, https or socks5`},
		"proxy without a host": {Target{URL: "https://a.example.com", Proxy: &url.URL{Scheme: "http"}}, "the proxy names no host; it must look like http://proxy.example.com:3128"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewClient(c.target)
			require.EqualError(t, err, c.want)
			assert.Equal(t, failure.Usage, failure.KindOf(err))
		})
	}
}

// The client sends the call, byte for byte as it was spelt, and adds only what HTTP needs.
func TestDoSendsTheCallAsItIs(t *testing.T) {
	var got string
	address := rawServer(t, func(conn net.Conn, request []byte) {
		got = string(request)
		io.WriteString(conn, "HTTP/1.1 201 Created\r\nContent-Length: 2\r\nx-ONE: 1\r\nX-One: 2\r\n\r\n{}")
	})
	c := newClient(t, Target{URL: address + "/base/", Headers: map[string]string{"X-Env": "staging", "NV-Tenant-ID": "other"}})
	x := c.Do(t.Context(), Call{Operation: "signOn", Method: "POST", Path: "/ags/signOn?a=%2F", Header: http.Header{
		"nv-tenant-id": {"orange-tv"}, "X-AUTH-service-id": {"Operator SSO"}, "X-Empty": {""},
	}, Body: []byte(`{"parameters":[]}`)})
	require.NoError(t, x.Err)
	head, body, _ := strings.Cut(got, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	assert.Equal(t, "POST /base/ags/signOn?a=%2F HTTP/1.1", lines[0])
	assert.ElementsMatch(t, []string{
		"Host: " + strings.TrimPrefix(address, "http://"), "User-Agent: agstest", "Content-Length: 17",
		"nv-tenant-id: orange-tv", "X-AUTH-service-id: Operator SSO", "X-Empty: ", "X-Env: staging",
	}, lines[1:])
	assert.Equal(t, `{"parameters":[]}`, body)

	assert.Equal(t, address+"/base/ags/signOn?a=%2F", x.URL)
	assert.Equal(t, 201, x.Status)
	assert.Equal(t, "HTTP/1.1", x.Proto)
	assert.Equal(t, "{}", string(x.Body))
	assert.Equal(t, []string{"1", "2"}, x.Header["X-One"])
	assert.Equal(t, []string{"staging"}, x.Call.Header["X-Env"], "the exchange tells all that was sent")
	assert.Positive(t, x.Duration())
}

func TestDoOwnUserAgentAndHost(t *testing.T) {
	var got *http.Request
	address := served(t, func(w http.ResponseWriter, r *http.Request) { got = r })
	newClient(t, Target{URL: address}).Do(t.Context(), Call{Method: "GET", Path: "/", Header: http.Header{"user-agent": {"tv/1"}, "Host": {"other.example.com"}}})
	assert.Equal(t, []string{"tv/1"}, got.Header["User-Agent"])
	assert.Equal(t, "other.example.com", got.Host)
	assert.NotContains(t, got.Header, "Accept-Encoding")
}

func TestDoKeepsNoCookieAndFollowsNoRedirect(t *testing.T) {
	var asked atomic.Int32
	address := served(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Empty(t, r.Header["Cookie"])
		asked.Add(1)
		http.SetCookie(w, &http.Cookie{Name: "SID", Value: "1"})
		http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
	})
	c := newClient(t, Target{URL: address})
	for range 2 {
		x := c.Do(t.Context(), Call{Method: "POST", Path: "/ags/refresh", Header: http.Header{"Authorization": {"Bearer x"}}, Body: []byte("{}")})
		require.NoError(t, x.Err)
		assert.Equal(t, 307, x.Status)
	}
	assert.EqualValues(t, 2, asked.Load())
}

func TestDoReadsNoProxyFromTheEnvironment(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	c := newClient(t, Target{URL: "http://api.example.com"})
	proxy, err := c.transport.Proxy(httptest.NewRequest("GET", "http://api.example.com/", nil))
	require.NoError(t, err)
	assert.Nil(t, proxy)
}

func TestDoUsesTheProxyOfTheTargetOrTheCall(t *testing.T) {
	proxy := func(name string) *url.URL {
		u, err := url.Parse(served(t, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, name+" for "+r.URL.String())
		}))
		require.NoError(t, err)
		return u
	}
	c := newClient(t, Target{URL: "http://api.example.com", Proxy: proxy("first")})
	assert.Equal(t, "first for http://api.example.com/a", string(c.Do(t.Context(), Call{Method: "GET", Path: "/a"}).Body))
	assert.Equal(t, "second for http://api.example.com/a", string(c.Do(t.Context(), Call{Method: "GET", Path: "/a", Proxy: proxy("second")}).Body))
}

func TestDoRefusesCallsThatCannotBeSent(t *testing.T) {
	c := newClient(t, Target{URL: "http://127.0.0.1:1"})
	for name, c2 := range map[string]struct {
		call Call
		want string
	}{
		"path":   {Call{Method: "GET", Path: "@evil.example.com/"}, "the path of the call does not start with a slash"},
		"method": {Call{Method: "GE T", Path: "/"}, "the method or the path of the call cannot be sent over HTTP"},
		"escape": {Call{Method: "GET", Path: "/%zz"}, "the method or the path of the call cannot be sent over HTTP"},
		"header": {Call{Method: "GET", Path: "/", Header: http.Header{"X-A": {"s3cret\r\nb"}}}, "a header of the request cannot be sent over HTTP"},
		"name":   {Call{Method: "GET", Path: "/", Header: http.Header{"X A": {"b"}}}, "a header of the request cannot be sent over HTTP"},
	} {
		t.Run(name, func(t *testing.T) {
			x := c.Do(t.Context(), c2.call)
			assert.Zero(t, x.Status)
			assert.Equal(t, c2.want, Explain(x.Err))
			assert.False(t, x.Sent.IsZero())
		})
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": -1, "0": 0, "7": 7 * time.Second, " 120 ": 2 * time.Minute, "Wed, 02 Jan 2030 03:05:05 GMT": time.Minute,
		"Wed, 02 Jan 2030 03:00:00 GMT": 0, "soon": -1, "-5": -1, "1.5": -1, "+5": -1, "1_0": -1, // it does not say
		"Wed, 02 Jan 2030 03:05:05 UTC": time.Minute, "Wednesday, 02-Jan-30 03:05:05 UTC": time.Minute, "Wed Jan  2 03:05:05 2030": time.Minute,
		"2147483648": 1 << 31 * time.Second, "1000000000000000000": 1 << 31 * time.Second, "1000000000000000000000000000000": 1 << 31 * time.Second,
	} {
		wait, said := RetryAfter(text, "", now)
		assert.Equal(t, max(want, 0), wait, text)
		assert.Equal(t, want >= 0, said, text)
	}
	wait, said := RetryAfter("Wed, 02 Jan 2030 03:15:00 GMT", "Wed, 02 Jan 2030 03:14:50 GMT", now)
	assert.True(t, said)
	assert.Equal(t, 10*time.Second, wait, "by the service's clock, which is ahead")
}

func TestDoWaitsForRetryAfter(t *testing.T) {
	date := time.Date(2023, 11, 14, 22, 13, 20, 0, time.UTC)
	for name, c := range map[string]struct {
		after  []string // of the answers 429 that come first
		status int
		date   bool
		asked  int
		waited []time.Duration
		end    int
	}{
		"once":               {[]string{"2"}, 429, false, 2, []time.Duration{2 * time.Second}, 201},
		"zero":               {[]string{"0"}, 503, false, 2, []time.Duration{0}, 201},
		"twice":              {[]string{"1", "10"}, 503, false, 3, []time.Duration{time.Second, 10 * time.Second}, 201},
		"too often":          {[]string{"1", "1", "1"}, 429, false, 3, []time.Duration{time.Second, time.Second}, 429},
		"too long":           {[]string{"11"}, 429, false, 1, nil, 429},
		"date":               {[]string{date.Add(7 * time.Second).Format(http.TimeFormat)}, 503, true, 2, []time.Duration{7 * time.Second}, 201},
		"date in UTC":        {[]string{date.Add(7 * time.Second).Format(time.RFC1123)}, 503, true, 2, []time.Duration{7 * time.Second}, 201},
		"date in CET":        {[]string{"Tue, 14 Nov 2023 23:13:27 CET"}, 503, true, 2, []time.Duration{250 * time.Millisecond}, 201},
		"date that is over":  {[]string{date.Add(-time.Hour).Format(http.TimeFormat)}, 503, true, 2, []time.Duration{0}, 201},
		"malformed":          {[]string{"soon"}, 429, false, 2, []time.Duration{250 * time.Millisecond}, 201},
		"negative":           {[]string{"-1", "-1"}, 429, false, 3, []time.Duration{250 * time.Millisecond, 500 * time.Millisecond}, 201},
		"absent":             {[]string{"", "", ""}, 503, false, 3, []time.Duration{250 * time.Millisecond, 500 * time.Millisecond}, 503},
		"of another status":  {[]string{"1"}, 403, false, 1, nil, 403},
		"beyond all numbers": {[]string{"99999999999999999999"}, 429, false, 1, nil, 429},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			address := served(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				assert.Equal(t, "{}", string(body), "the whole request is sent again")
				if c.date {
					w.Header().Set("Date", date.Format(http.TimeFormat))
				}
				if asked++; asked <= len(c.after) {
					if c.after[asked-1] != "" {
						w.Header().Set("Retry-After", c.after[asked-1])
					}
					w.WriteHeader(c.status)
					return
				}
				w.WriteHeader(201)
			})
			var slept []time.Duration
			client := newClient(t, Target{URL: address, Sleep: func(_ context.Context, d time.Duration) error {
				slept = append(slept, d)
				return nil
			}})
			x := client.Do(t.Context(), Call{Method: "POST", Path: "/", Body: []byte("{}")})
			require.NoError(t, x.Err)
			assert.Equal(t, c.end, x.Status)
			assert.Equal(t, c.asked, asked)
			assert.Equal(t, c.waited, slept)
			require.Len(t, x.Attempts, len(c.waited))
			for i, a := range x.Attempts {
				limited := c.status == http.StatusTooManyRequests || c.after[i] != ""
				assert.Equal(t, Attempt{c.status, c.after[i], c.waited[i], limited, false}, a)
			}
		})
	}
}

// A service that always asks to come later holds up a run for a minute at most.
func TestWaitingIsBoundedPerClient(t *testing.T) {
	address := served(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "10")
		w.WriteHeader(503)
	})
	var total time.Duration
	client := newClient(t, Target{URL: address, Sleep: func(_ context.Context, d time.Duration) error { total += waitedOut(d); return nil }})
	for range 20 {
		assert.Equal(t, 503, client.Do(t.Context(), Call{Method: "GET", Path: "/"}).Status)
	}
	assert.Equal(t, time.Minute, total)
}

// waitedOut is a wait before a request is sent again, not one for the turn of a request.
func waitedOut(d time.Duration) time.Duration {
	if d%firstBackOff == 0 {
		return d
	}
	return 0
}

// A service that says come later and not when is asked again after waits of ours, which end after 10 s in all.
func TestBackOffIsBoundedPerClient(t *testing.T) {
	address := served(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(429) })
	var total time.Duration
	client := newClient(t, Target{URL: address, Sleep: func(_ context.Context, d time.Duration) error { total += waitedOut(d); return nil }})
	for range 40 {
		assert.Equal(t, 429, client.Do(t.Context(), Call{Method: "GET", Path: "/"}).Status)
	}
	assert.Equal(t, 10*time.Second, total)
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	address := served(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "10")
		w.WriteHeader(503)
	})
	ctx, cancel := context.WithCancel(t.Context())
	client := newClient(t, Target{URL: address, Sleep: func(ctx context.Context, d time.Duration) error {
		cancel()
		return sleep(ctx, d)
	}})
	x := client.Do(ctx, Call{Method: "GET", Path: "/"})
	assert.Equal(t, 503, x.Status)
	assert.Empty(t, x.Attempts)
	assert.Less(t, x.Duration(), 5*time.Second)
}

func TestDecode(t *testing.T) {
	zip := func(text string) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		io.WriteString(w, text)
		w.Close()
		return b.Bytes()
	}
	for name, c := range map[string]struct {
		coding    string
		body      []byte
		want      string
		truncated bool
		why       string
	}{
		"none":        {"", []byte("{}"), "{}", false, ""},
		"identity":    {"identity", []byte("{}"), "{}", false, ""},
		"gzip":        {" GZIP ", zip("{}"), "{}", false, ""},
		"empty":       {"gzip", nil, "", false, ""},
		"long":        {"gzip", zip("0123456789abcdef!"), "0123456789abcdef", true, ""},
		"just fits":   {"gzip", zip("0123456789abcdef"), "0123456789abcdef", false, ""},
		"that is not": {"gzip", []byte("{}"), "", false, "the body is not what its Content-Encoding gzip says"},
		"cut":         {"gzip", zip("{}")[:12], "", false, "the body is not what its Content-Encoding gzip says"},
		"unknown":     {"br", []byte("{}"), "", false, "the body has a Content-Encoding that was not asked for"},
	} {
		t.Run(name, func(t *testing.T) {
			got, truncated, err := Decode(c.coding, c.body, 16)
			assert.Equal(t, c.want, string(got))
			assert.Equal(t, c.truncated, truncated)
			assert.Equal(t, c.why, Explain(err))
			assert.Equal(t, c.why != "", errors.Is(err, ErrCoding))
		})
	}
}

// TestNothingFollowsAHEAD: some services send a body in answer to HEAD. On a kept connection the next call would take
// it for its own answer.
func TestNothingFollowsAHEAD(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				reader := bufio.NewReader(conn)
				for {
					r, err := http.ReadRequest(reader)
					if err != nil {
						return
					}
					_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
					if r.Close {
						return
					}
				}
			}()
		}
	}()
	client := newClient(t, Target{URL: "http://" + listener.Addr().String()})
	for i := range 20 {
		method := "POST"
		if i%2 == 0 {
			method = "HEAD"
		}
		x := client.Do(t.Context(), Call{Method: method, Path: "/"})
		require.NoError(t, x.Err, "%s", method)
		assert.Equal(t, 200, x.Status)
	}
}
