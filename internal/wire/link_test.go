package wire

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// closer is a service that ends each connection on which a second request comes, in a way that a test says; it reads
// the whole of the others.
type closer struct {
	target   Target
	requests atomic.Int64 // read to their end
}

func newCloser(t *testing.T, secure bool, end func(c net.Conn, under *net.TCPConn, in *bufio.Reader, requests *atomic.Int64)) *closer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &closer{target: Target{URL: "http://" + listener.Addr().String()}}
	var config *tls.Config
	if secure {
		certified := httptest.NewTLSServer(nil)
		defer certified.Close()
		config = &tls.Config{Certificates: certified.TLS.Certificates, NextProtos: []string{"http/1.1"}}
		pool := x509.NewCertPool()
		pool.AddCert(certified.Certificate())
		s.target.URL, s.target.TLS = "https://"+listener.Addr().String(), &tls.Config{RootCAs: pool}
	}
	var talks sync.WaitGroup
	talks.Go(func() {
		for {
			under, err := listener.Accept()
			if err != nil {
				return
			}
			talks.Go(func() {
				defer under.Close()
				c := under
				if secure {
					c = tls.Server(under, config)
				}
				in := bufio.NewReader(c)
				request, err := http.ReadRequest(in)
				if err != nil {
					return
				}
				if _, err := io.Copy(io.Discard, request.Body); err != nil {
					return
				}
				s.requests.Add(1)
				if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"); err != nil {
					return
				}
				end(c, under.(*net.TCPConn), in, &s.requests)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		talks.Wait()
	})
	return s
}

// A request of any method that a gateway provably never had, because it had closed the kept connection, is sent once
// more and counted.
func TestWhatNeverReachedTheServiceIsSentOnceMore(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("it cannot be told here")
	}
	for over, secure := range map[string]bool{"http": false, "https": true} {
		for way, size := range map[string]int{"while it was written": 32 << 20, "before it had all of it": 40 << 10} {
			t.Run(over+", "+way, func(t *testing.T) {
				t.Parallel()
				s := newCloser(t, secure, func(_ net.Conn, under *net.TCPConn, _ *bufio.Reader, _ *atomic.Int64) {
					under.Read(make([]byte, 5)) // it has begun to come, and the rest stays unread
					under.CloseWrite()
					under.Close()
				})
				c, err := NewClient(s.target)
				require.NoError(t, err)
				t.Cleanup(c.Close)
				resent := 0
				// The reset comes a moment after the end of the connection. On a busy machine it comes later than two
				// round trips.
				for i := 0; i < 50 && resent == 0; i++ {
					before := s.requests.Load()
					x := c.Do(t.Context(), Call{Operation: "refresh", Method: "POST", Path: "/"})
					require.NoError(t, x.Err)
					if x = c.Do(t.Context(), Call{Operation: "refresh", Method: "POST", Path: "/", Body: make([]byte, size)}); x.Resent {
						resent++
						require.NoError(t, x.Err)
						assert.Equal(t, "{}", string(x.Body))
						assert.Equal(t, before+2, s.requests.Load(), "the service had each once")
					}
					c.Close()
				}
				counted, repeated := c.SentAgain()
				assert.Equal(t, map[string]int{"refresh": 1}, counted)
				assert.Empty(t, repeated)
			})
		}
	}
}

// What closes each connection behind one answer and does not say so, as tinyproxy does, loses nothing once it was
// reached: nothing is sent on a connection that has carried an answer. Here what is sent on one is lost always.
func TestWhatClosesBehindEachAnswerLosesNothing(t *testing.T) {
	for over, secure := range map[string]bool{"http": false, "https": true} {
		for says, read := range map[string]bool{"closes under the next request": true, "closes at once": false} {
			t.Run(over+", "+says, func(t *testing.T) {
				t.Parallel()
				s := newCloser(t, secure, func(c net.Conn, _ *net.TCPConn, in *bufio.Reader, _ *atomic.Int64) {
					if request, err := http.ReadRequest(in); read && err == nil {
						io.Copy(io.Discard, request.Body)
					}
					c.Close()
				})
				c, err := NewClient(s.target)
				require.NoError(t, err)
				t.Cleanup(c.Close)
				_, err = c.Reach(t.Context())
				require.NoError(t, err)
				for range 20 {
					x := c.Do(t.Context(), Call{Method: "POST", Path: "/", Body: []byte("{}")})
					require.NoError(t, x.Err)
					assert.Equal(t, "{}", string(x.Body))
				}
			})
		}
	}
}

// Where a connection carries a second request, it is kept.
func TestConnectionsThatCarryRequestsAreKept(t *testing.T) {
	service, connections := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "yes", r.Header.Get("X-Pass"), "every request has the headers of the target")
		io.WriteString(w, "{}")
	})), atomic.Int64{}
	service.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	service.Start()
	t.Cleanup(service.Close)
	c, err := NewClient(Target{URL: service.URL, Headers: map[string]string{"X-Pass": "yes"}})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	c.transport.IdleConnTimeout = 0
	_, err = c.Reach(t.Context())
	require.NoError(t, err)
	assert.False(t, c.keepsNone.Load())
	require.NoError(t, c.Do(t.Context(), Call{Method: "POST", Path: "/", Body: []byte("{}")}).Err)
	assert.EqualValues(t, 1, connections.Load())
}

// A service that reads a request and closes without a word may have done what it asks for: it is not sent again.
func TestWhatMayHaveReachedTheServiceIsNotSentAgain(t *testing.T) {
	for over, secure := range map[string]bool{"http": false, "https": true} {
		t.Run(over, func(t *testing.T) {
			t.Parallel()
			s := newCloser(t, secure, func(c net.Conn, _ *net.TCPConn, in *bufio.Reader, requests *atomic.Int64) {
				if request, err := http.ReadRequest(in); err == nil {
					io.Copy(io.Discard, request.Body)
					requests.Add(1)
				}
				c.Close()
			})
			c, err := NewClient(s.target)
			require.NoError(t, err)
			t.Cleanup(c.Close)
			for i := range 10 {
				// net/http takes a request with this header for one that it may send again.
				again := Call{Method: "POST", Path: "/", Body: []byte("{}"), Header: http.Header{"Idempotency-Key": {"1"}}}
				if i%2 == 0 {
					again.Header, again.Body = nil, nil
				}
				require.NoError(t, c.Do(t.Context(), Call{Method: "POST", Path: "/", Body: []byte("{}")}).Err)
				x := c.Do(t.Context(), again)
				require.Error(t, x.Err)
				assert.Contains(t, Explain(x.Err), "closed the connection")
				assert.False(t, x.Resent)
				c.Close()
			}
			assert.EqualValues(t, 20, s.requests.Load())
			resent, repeated := c.SentAgain()
			assert.Empty(t, resent)
			assert.Empty(t, repeated)
		})
	}
}

// A GET may be repeated, and is; but as the service had it, it is not called resent.
func TestAGetIsRepeatedAndNotCalledResent(t *testing.T) {
	for over, secure := range map[string]bool{"http": false, "https": true} {
		t.Run(over, func(t *testing.T) {
			t.Parallel()
			var lines sync.Map
			s := newCloser(t, secure, func(c net.Conn, _ *net.TCPConn, in *bufio.Reader, requests *atomic.Int64) {
				if request, err := http.ReadRequest(in); err == nil {
					lines.Store(requests.Add(1), []any{request.ContentLength, request.TransferEncoding})
				}
				c.Close()
			})
			c, err := NewClient(s.target)
			require.NoError(t, err)
			t.Cleanup(c.Close)
			get := Call{Operation: "servicediscovery", Method: "GET", Path: "/"}
			require.NoError(t, c.Do(t.Context(), get).Err)
			x := c.Do(t.Context(), get)
			require.NoError(t, x.Err)
			assert.True(t, x.Repeated)
			assert.False(t, x.Resent)
			resent, repeated := c.SentAgain()
			assert.Empty(t, resent)
			assert.Equal(t, map[string]int{"servicediscovery": 1}, repeated)
			assert.EqualValues(t, 3, s.requests.Load())
			second, _ := lines.Load(int64(2))
			assert.Equal(t, []any{int64(0), []string(nil)}, second, "a GET has no body, whatever it is made of")
		})
	}
}

// A request of which nothing was written on a kept connection that had ended never reached the service.
func TestWhatWasNeverWrittenNeverArrived(t *testing.T) {
	var j journey
	l := &link{}
	j.last.Store(l)
	j.kept.Store(true)
	assert.True(t, j.neverReached(io.EOF))
	assert.False(t, j.neverReached(io.ErrUnexpectedEOF))
	l.wrote.Store(true)
	assert.False(t, j.neverReached(io.EOF))
	l.unread.Store(true)
	assert.True(t, j.neverReached(io.EOF))
}
