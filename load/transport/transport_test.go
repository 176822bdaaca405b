package transport

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
	"agstest/internal/ports"
	"agstest/internal/wire"
	"agstest/load/hit"
)

// longest is how long an answer that comes may take on a machine that does much else.
const longest = 5 * time.Minute

func connectTo(t testing.TB, target wire.Target) Carrier {
	t.Helper()
	carrier, err := Connect(context.Background(), target, Options{Timeout: longest, Trace: true})
	require.NoError(t, err)
	t.Cleanup(carrier.Close)
	return carrier
}

func serve(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server
}

func right(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "right") }

// ask sends one request and returns a copy of the answer.
func ask(carrier Carrier, timeout time.Duration, r hit.Request) (hit.Answer, hit.Phases) {
	var answer hit.Answer
	var phases hit.Phases
	done := carrier.Exchange(&r, &answer, time.Now().Add(timeout), &phases)
	answer.Body = []byte(string(answer.Body))
	done()
	return answer, phases
}

// speak serves connections by hand.
func speak(t testing.TB, talk func(c net.Conn, in *bufio.Reader)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var talks sync.WaitGroup
	talks.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			talks.Go(func() {
				defer c.Close()
				talk(c, bufio.NewReader(c))
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		talks.Wait()
	})
	return "http://" + listener.Addr().String()
}

// read takes one request from a connection.
func read(in *bufio.Reader) bool {
	r, err := http.ReadRequest(in)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, r.Body)
	return err == nil
}

var post = hit.Request{Method: "POST", Path: "/a?b=c", Header: []hit.HeaderField{{Name: "nv-tenant-id", Value: "nagra"}, {Name: "Content-Type", Value: "application/json"}}, Body: []byte("{}")}

func TestTransportsCarryRequestsAsTheyAre(t *testing.T) {
	type seen struct{ proto, target, host, body, header, connection string }
	var got seen
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var header []string
		for name, values := range r.Header {
			header = append(header, name+": "+strings.Join(values, "|"))
		}
		got = seen{r.Proto, r.URL.RequestURI(), r.Host, string(body), fmt.Sprint(len(header), r.Header["Nv-Tenant-Id"], r.Header["Content-Type"], r.Header["Content-Length"], r.UserAgent()), r.Header.Get("Connection")}
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(503)
		io.WriteString(w, "busy")
	})
	plain := serve(t, handler)
	secure := httptest.NewTLSServer(handler)
	t.Cleanup(secure.Close)
	two := httptest.NewUnstartedServer(handler)
	two.EnableHTTP2 = true
	two.TLS = &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		only := two.TLS.Clone()
		only.GetConfigForClient, only.NextProtos = nil, []string{"h2"}
		if !slices.Contains(hello.SupportedProtos, "h2") {
			only.NextProtos = []string{"none of these"} // Go itself would let HTTP/1.1 pass
		}
		return only, nil
	}}
	two.StartTLS()
	t.Cleanup(two.Close)
	trust := x509.NewCertPool()
	trust.AddCert(secure.Certificate())
	config := &tls.Config{RootCAs: trust}
	proxyURL := ""
	proxy := serve(t, func(w http.ResponseWriter, r *http.Request) {
		proxyURL = r.URL.String()
		handler(w, r)
	})
	via, err := url.Parse(proxy.URL)
	require.NoError(t, err)

	for _, c := range []struct {
		name, words, proto string
		target             wire.Target
	}{
		{"http", "HTTP/1.1 over kept connections (fasthttp)", "HTTP/1.1", wire.Target{URL: plain.URL + "/base/"}},
		{"https", "HTTP/1.1 over kept TLS connections (fasthttp)", "HTTP/1.1", wire.Target{URL: secure.URL + "/base", TLS: config}},
		{"http/2 only", "net/http, since the service speaks HTTP/2 only", "HTTP/2.0", wire.Target{URL: two.URL + "/base", TLS: config}},
		{"proxy", "net/http, since a proxy is asked for", "HTTP/1.1", wire.Target{URL: "http://ags.invalid/base", Proxy: via}},
	} {
		t.Run(c.name, func(t *testing.T) {
			carrier := connectTo(t, c.target)
			assert.Equal(t, c.words, carrier.String())
			for i := range 3 {
				answer, phases := ask(carrier, longest, post)
				require.NoError(t, answer.Err)
				assert.Equal(t, 503, answer.Status)
				assert.Equal(t, "busy", string(answer.Body))
				assert.Equal(t, "7", answer.RetryAfter)
				assert.NotEmpty(t, answer.Date)
				base, _ := url.Parse(c.target.URL)
				header, connection := "4 [nagra] [application/json] [2]agstest", ""
				if _, lean := carrier.(*leanTransport); lean {
					header, connection = "5 [nagra] [application/json] [2]agstest", "keep-alive"
				}
				assert.Equal(t, seen{c.proto, "/base/a?b=c", base.Host, "{}", header, connection}, got)
				assert.Greater(t, phases.Wait+phases.Read, time.Duration(0))
				if i > 0 {
					assert.False(t, phases.NewConnection, "connections are kept")
				}
			}
			var answer hit.Answer
			done := carrier.Exchange(&post, &answer, time.Now().Add(longest), &hit.Phases{})
			assert.Equal(t, []string{"7", ""}, []string{answer.Header.Get("retry-AFTER"), answer.Header.Get("X-None")})
			fields := maps.Collect(answer.Header.All())
			assert.Equal(t, []string{"7", "4"}, []string{fields["Retry-After"], fields["Content-Length"]})
			done()
		})
	}
	assert.Equal(t, "http://ags.invalid/base/a?b=c", proxyURL)
}

func TestWhatGoesWrongIsSorted(t *testing.T) {
	for _, c := range []struct {
		name string
		talk func(c net.Conn, in *bufio.Reader)
		kind string
	}{
		{"no answer", func(c net.Conn, in *bufio.Reader) { read(in); read(in) }, hit.KindTimeout},
		{"half a body", func(c net.Conn, in *bufio.Reader) {
			read(in)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
		}, hit.KindReset},
		{"half a header", func(c net.Conn, in *bufio.Reader) { read(in); io.WriteString(c, "HTTP/1.1 200 O") }, hit.KindReset},
		{"closed", func(c net.Conn, in *bufio.Reader) { read(in) }, hit.KindReset},
		{"reset", func(c net.Conn, in *bufio.Reader) { read(in); c.(*net.TCPConn).SetLinger(0) }, hit.KindReset},
		{"another protocol", func(c net.Conn, in *bufio.Reader) { read(in); io.WriteString(c, "220 mail ready\r\n\r\n") }, hit.KindOther},
		{"endless header", func(c net.Conn, in *bufio.Reader) {
			read(in)
			io.WriteString(c, "HTTP/1.1 200 OK\r\n"+strings.Repeat("X: "+strings.Repeat("x", 1000)+"\r\n", 300))
		}, hit.KindOther},
	} {
		t.Run(c.name, func(t *testing.T) {
			carrier := connectTo(t, wire.Target{URL: speak(t, c.talk)})
			within := longest
			if c.kind == hit.KindTimeout {
				within = 300 * time.Millisecond
			}
			answer, _ := ask(carrier, within, post)
			require.Error(t, answer.Err)
			assert.Equal(t, c.kind, WhyNone(answer.Err), "%v", answer.Err)
			assert.Zero(t, answer.Status)
		})
	}
	t.Run("refused", func(t *testing.T) {
		server := httptest.NewServer(http.HandlerFunc(right))
		carrier := connectTo(t, wire.Target{URL: server.URL})
		server.Close()
		answer, _ := ask(carrier, longest, post) // the kept connection is closed
		answer, _ = ask(carrier, longest, post)
		assert.Equal(t, hit.KindRefused, WhyNone(answer.Err), "%v", answer.Err)
	})
}

func TestHostAndUserAgentAreReplacedNotDoubled(t *testing.T) {
	var host, agent []string
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		host, agent = append(host, r.Host), append(agent, strings.Join(r.Header["User-Agent"], "|"))
		right(w, r)
	})
	via, _ := url.Parse(server.URL)
	for _, target := range []wire.Target{{URL: server.URL}, {URL: "http://ags.invalid", Proxy: via}} {
		answer, _ := ask(connectTo(t, target), longest, hit.Request{Method: "POST", Path: "/", Header: []hit.HeaderField{{Name: "host", Value: "ags.example"}, {Name: "user-agent", Value: "player/7"}}})
		assert.Equal(t, 200, answer.Status)
	}
	assert.Equal(t, []string{"ags.example", "ags.example"}, host)
	assert.Equal(t, []string{"player/7", "player/7"}, agent)
}

func TestALineBreakIsNoSecondHeader(t *testing.T) {
	server := serve(t, right)
	carrier := connectTo(t, wire.Target{URL: server.URL})
	for _, r := range []hit.Request{
		{Method: "POST", Path: "/", Header: []hit.HeaderField{{Name: "Authorization", Value: "Bearer a\r\nX-Other: b"}}},
		{Method: "POST", Path: "/", Header: []hit.HeaderField{{Name: "X\nY", Value: "b"}}}, {Method: "POST", Path: "/a b"}, {Method: "POST", Path: "/\n"}, {Method: "PO\nST", Path: "/"},
		{Method: "POST", Path: "/", Authorization: []byte("Bearer a\r\nX-Other: b")}, {Method: "POST", Path: "/", Header: []hit.HeaderField{{Name: "Host", Value: "a\rb"}}}, {Method: "POST", Path: "/", Header: []hit.HeaderField{{Name: "User-Agent", Value: "a\n"}}},
	} {
		answer, _ := ask(carrier, longest, r)
		assert.ErrorIs(t, answer.Err, errLineBreak)
	}
	answer, _ := ask(carrier, longest, post)
	assert.NoError(t, answer.Err)
}

func TestLongAnswersAreNotReadToTheEnd(t *testing.T) {
	long := func(w http.ResponseWriter, r *http.Request) {
		chunk := make([]byte, 64<<10)
		for range 20 {
			w.Write(chunk)
		}
	}
	plain := serve(t, long)
	via, _ := url.Parse(plain.URL)
	for _, target := range []wire.Target{{URL: plain.URL}, {URL: "http://ags.invalid", Proxy: via}} {
		carrier := connectTo(t, target)
		for range 2 {
			answer, _ := ask(carrier, longest, post)
			assert.NoError(t, answer.Err)
			assert.True(t, answer.Truncated)
			assert.Equal(t, 200, answer.Status)
			assert.LessOrEqual(t, len(answer.Body), maxBody)
		}
	}
}

func TestFormsOfAnswers(t *testing.T) {
	for name, text := range map[string]string{
		"with a length": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright",
		"in chunks":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nri\r\n3\r\nght\r\n0\r\n\r\n",
		"with a trailer": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n" +
			"5\r\nright\r\n0\r\nx-sum: 1\r\n\r\n",
		"with a trailer that was not announced": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
			"5\r\nright\r\n0\r\nserver-timing: db;dur=1\r\nx-sum: 1\r\n\r\n",
		"with extensions of chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
			"5;a=b;c=\"d\"\r\nright\r\n0;last\r\n\r\n",
		"up to the close":       "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nright",
		"after an early hint":   "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright",
		"of HTTP/1.0":           "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nright",
		"with its length twice": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\nContent-Length: 5\r\n\r\nright",
	} {
		t.Run(name, func(t *testing.T) {
			carrier := connectTo(t, wire.Target{URL: speak(t, func(c net.Conn, in *bufio.Reader) {
				for read(in) {
					io.WriteString(c, text)
					if strings.Contains(text, "close") || strings.Contains(text, "1.0") {
						return
					}
				}
			})})
			for range 3 {
				answer, _ := ask(carrier, longest, post)
				require.NoError(t, answer.Err)
				assert.Equal(t, 200, answer.Status)
				assert.Equal(t, "right", string(answer.Body))
			}
		})
	}
}

// A kept connection that the service has closed meanwhile is not the fault of the next request.
func TestAConnectionClosedWhileIdleIsReplaced(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(right))
	server.Config.IdleTimeout = 50 * time.Millisecond
	closed := make(chan struct{}, 10)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- struct{}{}
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	carrier := connectTo(t, wire.Target{URL: server.URL})
	answer, _ := ask(carrier, longest, post)
	require.NoError(t, answer.Err)
	<-closed
	answer, phases := ask(carrier, longest, post)
	assert.NoError(t, answer.Err)
	assert.True(t, phases.NewConnection)
}

// When very many need a connection at once, only a few are opened at a time, and those that are given back are taken.
func TestABurstDoesNotOpenAConnectionForEach(t *testing.T) {
	var opened atomic.Int64
	hold := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(right))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	carrier := connectTo(t, wire.Target{URL: server.URL})
	var burst sync.WaitGroup
	for range 1000 {
		burst.Go(func() {
			<-hold
			answer, _ := ask(carrier, longest, post)
			assert.NoError(t, answer.Err)
		})
	}
	close(hold)
	burst.Wait()
	assert.Less(t, opened.Load(), int64(1000))
}

func TestTargetsThatCannotBeReached(t *testing.T) {
	secure := httptest.NewTLSServer(http.HandlerFunc(right))
	t.Cleanup(secure.Close)
	closed := "http://" + ports.Closed(t)
	for _, c := range []struct {
		name, url string
		kind      failure.Kind
		word      string
	}{
		{"no server", closed, failure.Setup, "cannot connect to " + closed},
		{"unknown authority", secure.URL, failure.Setup, "certificate"},
		{"another scheme", "ftp://127.0.0.1", failure.Usage, "no http or https address"},
		{"no address", "::", failure.Usage, "no http or https address"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Connect(context.Background(), wire.Target{URL: c.url}, Options{Timeout: longest})
			require.Error(t, err)
			assert.Equal(t, c.kind, failure.KindOf(err), err)
			assert.ErrorContains(t, err, c.word)
		})
	}
}

// BenchmarkLeanExchange is what one exchange over a kept connection costs, with a service that does nothing.
func BenchmarkLeanExchange(b *testing.B) {
	text := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1400\r\n\r\n" + strings.Repeat("x", 1400)
	address := speak(b, func(c net.Conn, in *bufio.Reader) {
		for read(in) {
			io.WriteString(c, text)
		}
	})
	carrier, err := Connect(context.Background(), wire.Target{URL: address}, Options{Timeout: longest})
	require.NoError(b, err)
	defer carrier.Close()
	var answer hit.Answer
	var phases hit.Phases
	deadline := time.Now().Add(time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		answer = hit.Answer{}
		carrier.Exchange(&post, &answer, deadline, &phases)()
		if answer.Err != nil || answer.Status != 200 {
			b.Fatal(answer.Err)
		}
	}
}

// The token of a request comes to the service behind the other headers, on every way.
func TestAuthorizationIsSent(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, strings.Join(r.Header.Values("Authorization"), "|"))
	})
	via, _ := url.Parse(server.URL)
	for name, target := range map[string]wire.Target{"lean": {URL: server.URL}, "net/http": {URL: "http://ags.invalid", Proxy: via}} {
		t.Run(name, func(t *testing.T) {
			carrier := connectTo(t, target)
			for _, token := range []string{"Bearer one", "Bearer two", ""} {
				r := post
				r.Authorization = []byte(token)
				answer, _ := ask(carrier, longest, r)
				require.NoError(t, answer.Err)
				assert.Equal(t, token, string(answer.Body))
			}
		})
	}
}

// Refusals tell the service's clock, by which a token had expired or not, and those of limiters when to come again,
// whatever their status.
func TestRefusalsTellTheClockOfTheService(t *testing.T) {
	status := 0
	service := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", "Wed, 02 Jan 2030 03:14:50 GMT")
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(status)
	})
	proxy, err := url.Parse(service.URL)
	require.NoError(t, err)
	for _, target := range []wire.Target{{URL: service.URL}, {URL: "http://ags.invalid", Proxy: proxy}} {
		carrier := connectTo(t, target)
		for _, c := range []struct {
			status           int
			date, retryAfter string
		}{
			{200, "", ""}, {401, "Wed, 02 Jan 2030 03:14:50 GMT", ""}, {403, "Wed, 02 Jan 2030 03:14:50 GMT", ""},
			{420, "Wed, 02 Jan 2030 03:14:50 GMT", "7"}, {429, "Wed, 02 Jan 2030 03:14:50 GMT", "7"},
			{509, "Wed, 02 Jan 2030 03:14:50 GMT", "7"},
		} {
			status = c.status
			answer, _ := ask(carrier, longest, post)
			require.NoError(t, answer.Err)
			assert.Equal(t, c.date, answer.Date, "%s %d", carrier, c.status)
			assert.Equal(t, c.retryAfter, answer.RetryAfter, "%s %d", carrier, c.status)
		}
	}
}
