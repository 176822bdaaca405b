package transport

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/delivery"
	"agstest/internal/wire"
	"agstest/load/hit"
)

// idler is a service that answers requests and then does what a test wants with the connection while it is idle.
type idler struct {
	target   wire.Target
	accepted atomic.Int64
	requests atomic.Int64 // read to their end
	after    func(c net.Conn, under *net.TCPConn, in *bufio.Reader)
	did      chan struct{} // told when after has returned
	drains   atomic.Bool   // then throws away what still comes, as Apache does for 2 s
}

const rightAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright"

// newIdler starts it; config is nil for plain HTTP. After each answer it does after, and goes on.
func newIdler(t testing.TB, config *tls.Config, after func(c net.Conn, under *net.TCPConn, in *bufio.Reader)) *idler {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &idler{after: after, did: make(chan struct{}, 100)}
	s.target.URL = "http://" + listener.Addr().String()
	if config != nil {
		certified := httptest.NewTLSServer(nil)
		defer certified.Close()
		config = config.Clone()
		config.NextProtos = []string{"http/1.1"}
		config.Certificates = certified.TLS.Certificates
		pool := x509.NewCertPool()
		pool.AddCert(certified.Certificate())
		s.target.URL = "https://" + listener.Addr().String()
		s.target.TLS = &tls.Config{RootCAs: pool}
	}
	var talks sync.WaitGroup
	talks.Go(func() {
		for {
			under, err := listener.Accept()
			if err != nil {
				return
			}
			s.accepted.Add(1)
			talks.Go(func() {
				defer under.Close()
				c := under
				if config != nil {
					c = tls.Server(under, config)
				}
				in := bufio.NewReader(c)
				for read(in) {
					s.requests.Add(1)
					if _, err := io.WriteString(c, rightAnswer); err != nil {
						return
					}
					s.after(c, under.(*net.TCPConn), in)
					s.did <- struct{}{}
					if s.drains.Load() {
						io.Copy(io.Discard, in)
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		talks.Wait()
	})
	return s
}

const unasked = "HTTP/1.1 408 Request Time-out\r\nContent-length: 0\r\nConnection: close\r\n\r\n"

// waysToEnd are those in which a service ends an idle connection, or spoils it.
var waysToEnd = map[string]func(c net.Conn, under *net.TCPConn, in *bufio.Reader){
	"close_notify and FIN": func(c net.Conn, _ *net.TCPConn, _ *bufio.Reader) { c.Close() },
	"FIN alone":            func(_ net.Conn, under *net.TCPConn, _ *bufio.Reader) { under.Close() },
	"RST": func(_ net.Conn, under *net.TCPConn, _ *bufio.Reader) {
		under.SetLinger(0)
		under.Close()
	},
	"half a close": func(c net.Conn, under *net.TCPConn, _ *bufio.Reader) {
		if secure, ok := c.(*tls.Conn); ok {
			secure.CloseWrite() // close_notify, and TCP stays open
		} else {
			under.CloseWrite()
		}
	},
	"an unasked 408": func(c net.Conn, _ *net.TCPConn, _ *bufio.Reader) { io.WriteString(c, unasked) },
	"an unasked 408 and the end": func(c net.Conn, _ *net.TCPConn, _ *bufio.Reader) {
		io.WriteString(c, unasked)
		c.Close()
	},
}

// kindsOfTLS are the protocols over which they do.
var kindsOfTLS = map[string]*tls.Config{
	"http": nil, "TLS 1.2": {MaxVersion: tls.VersionTLS12}, "TLS 1.3": {MinVersion: tls.VersionTLS13}, "TLS 1.3 without tickets": {MinVersion: tls.VersionTLS13, SessionTicketsDisabled: true},
}

// The transport understands anything that waits on an idle connection: the next request goes over a new one, and no
// answer is wrong and no request sent twice.
func TestAnIdleConnectionThatEndedIsNotUsed(t *testing.T) {
	for over, config := range kindsOfTLS {
		for way, end := range waysToEnd {
			t.Run(over+", "+way, func(t *testing.T) {
				t.Parallel()
				s := newIdler(t, config, end)
				s.drains.Store(way == "half a close")
				carrier := connectTo(t, s.target)
				carrier.(*leanTransport).lookAfter = 0
				for i := range 3 {
					answer, phases := ask(carrier, longest, post)
					require.NoError(t, answer.Err)
					assert.Equal(t, 200, answer.Status)
					assert.Equal(t, "right", string(answer.Body))
					assert.Equal(t, i > 0, phases.NewConnection)
					assert.False(t, answer.Resent, "it was seen in time")
					<-s.did
				}
				assert.EqualValues(t, 3, s.requests.Load())
			})
		}
	}
}

// A connection on which nothing but session tickets wait is as good as before.
func TestAnIdleConnectionWithTicketsIsUsed(t *testing.T) {
	for over, config := range kindsOfTLS {
		t.Run(over, func(t *testing.T) {
			s := newIdler(t, config, func(net.Conn, *net.TCPConn, *bufio.Reader) {})
			carrier := connectTo(t, s.target)
			for range 5 {
				time.Sleep(2 * sweepEvery) // swept with the tickets of the handshake lying there, before the first request
				answer, phases := ask(carrier, longest, post)
				require.NoError(t, answer.Err)
				assert.False(t, phases.NewConnection)
			}
			assert.EqualValues(t, 1, s.accepted.Load())
		})
	}
}

// Where the end crosses the request, it is sent again if the service provably did not get it, and is wrong where that
// cannot be told. It never reaches the service twice.
func TestARequestThatCrossedTheEnd(t *testing.T) {
	for over, config := range kindsOfTLS {
		for way, end := range waysToEnd {
			t.Run(over+", "+way, func(t *testing.T) {
				t.Parallel()
				s := newIdler(t, config, end)
				s.drains.Store(way == "half a close")
				carrier := connectTo(t, s.target).(*leanTransport)
				carrier.lookAfter = time.Hour // as if it came after the look
				carrier.closeOnce.Do(func() { close(carrier.closing) })
				carrier.sweeper.Wait()
				answer, _ := ask(carrier, longest, post)
				require.NoError(t, answer.Err)
				<-s.did
				answer, phases := ask(carrier, longest, post)
				switch way {
				case "close_notify and FIN", "FIN alone", "RST":
					require.NoError(t, answer.Err)
					assert.True(t, answer.Resent)
					assert.True(t, phases.NewConnection)
					assert.Equal(t, "right", string(answer.Body))
					assert.EqualValues(t, 2, s.requests.Load())
				default: // where the end comes alone, it depends on what the system has acknowledged by then
					assert.LessOrEqual(t, s.requests.Load(), int64(2))
				}
			})
		}
	}
}

// A service that reads a request and closes without a word may have done what it asks for: that is wrong, and is not
// sent again.
func TestAServiceThatReadsAndClosesIsWrong(t *testing.T) {
	for over, config := range kindsOfTLS {
		for _, method := range []string{"POST", "GET"} {
			t.Run(over+", "+method, func(t *testing.T) {
				var s *idler
				s = newIdler(t, config, func(c net.Conn, _ *net.TCPConn, in *bufio.Reader) {
					if read(in) {
						s.requests.Add(1)
					}
					c.Close()
				})
				carrier := connectTo(t, s.target)
				answer, _ := ask(carrier, longest, hit.Request{Method: method, Path: "/"})
				require.NoError(t, answer.Err)
				answer, _ = ask(carrier, longest, hit.Request{Method: method, Path: "/"})
				require.Error(t, answer.Err)
				assert.Equal(t, hit.KindReset, WhyNone(answer.Err))
				assert.False(t, answer.Resent)
				assert.EqualValues(t, 2, s.requests.Load())
			})
		}
	}
}

// A service that closes a connection in use closes the others soon: they are not used again.
func TestAfterACloseInUseAllAreOpenedAnew(t *testing.T) {
	s := newIdler(t, nil, func(c net.Conn, _ *net.TCPConn, _ *bufio.Reader) {})
	carrier := connectTo(t, s.target).(*leanTransport)
	carrier.lookAfter = time.Hour
	var held []*connection
	for range 5 {
		c, _, err := carrier.connection(time.Now(), time.Now().Add(longest), &hit.Phases{}, true)
		require.NoError(t, err)
		held = append(held, c)
	}
	for _, c := range held {
		carrier.put(c, time.Now())
	}
	held[4].below.Conn.(*net.TCPConn).CloseWrite() // the service closes this one, and has not come to the others
	<-time.After(20 * time.Millisecond)
	answer, _ := ask(carrier, longest, post)
	if answer.Err == nil {
		assert.True(t, answer.Resent)
	}
	_, phases := ask(carrier, longest, post)
	assert.True(t, phases.NewConnection || answer.Resent)
	assert.EqualValues(t, 1, carrier.generation.Load())
}

// Requests that net/http sends again by itself are shown too.
func TestWhatNetHTTPSendsAgainIsShown(t *testing.T) {
	var talks atomic.Int64
	address := speak(t, func(c net.Conn, in *bufio.Reader) {
		first := talks.Add(1) == 1
		for read(in) {
			io.WriteString(c, rightAnswer)
			if first {
				read(in)
				return
			}
		}
	})
	via, err := url.Parse(address)
	require.NoError(t, err)
	carrier := connectTo(t, wire.Target{URL: "http://ags.invalid", Proxy: via})
	for _, resent := range []bool{false, true, false} {
		answer, _ := ask(carrier, longest, hit.Request{Method: "GET", Path: "/"})
		require.NoError(t, answer.Err)
		assert.Equal(t, resent, answer.Resent)
	}
}

// A connection that is closed while a long request is written carried no whole one.
func TestAConnectionClosedWhileARequestIsWritten(t *testing.T) {
	for over, config := range kindsOfTLS {
		t.Run(over, func(t *testing.T) {
			var once sync.Once
			s := newIdler(t, config, func(_ net.Conn, under *net.TCPConn, in *bufio.Reader) {
				once.Do(func() {
					in.Peek(1000)
					under.SetLinger(0)
					under.Close()
				})
			})
			carrier := connectTo(t, s.target)
			answer, _ := ask(carrier, longest, post)
			require.NoError(t, answer.Err)
			answer, _ = ask(carrier, longest, hit.Request{Method: "POST", Path: "/", Body: make([]byte, 32<<20)})
			require.NoError(t, answer.Err)
			assert.True(t, answer.Resent)
			assert.EqualValues(t, 2, s.requests.Load())
		})
	}
}

func TestIdleTimeoutsAreLearnt(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name  string
		learn func(l *idleTimeout)
		limit time.Duration
	}{
		{"nothing", func(*idleTimeout) {}, 0},
		{"announced", func(l *idleTimeout) { l.announce("timeout=5, max=100") }, 4 * time.Second},
		{"announced in other forms", func(l *idleTimeout) { l.announce(`max=3 , Timeout="2"`) }, time.Second},
		{"announced as one second", func(l *idleTimeout) { l.announce("timeout=1") }, 500 * time.Millisecond},
		{"announced as nothing", func(l *idleTimeout) { l.announce("timeout=, max") }, 0},
		{"one close may be a reload", func(l *idleTimeout) { l.closed(5*time.Second, now) }, 0},
		{"many at once are one event", func(l *idleTimeout) {
			for range 5 {
				l.closed(5*time.Second, now)
			}
		}, 0},
		{"two of an age", func(l *idleTimeout) {
			l.closed(5*time.Second, now)
			l.closed(5100*time.Millisecond, now.Add(7*time.Second))
		}, 4490 * time.Millisecond},
		{"two of other ages", func(l *idleTimeout) {
			l.closed(2*time.Second, now)
			l.closed(5*time.Second, now.Add(7*time.Second))
		}, 0},
		{"of no age", func(l *idleTimeout) {
			l.closed(time.Millisecond, now)
			l.closed(time.Millisecond, now.Add(7*time.Second))
		}, 0},
		{"the shortest counts", func(l *idleTimeout) {
			l.announce("timeout=5")
			l.announce("timeout=60")
		}, 4 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			var l idleTimeout
			c.learn(&l)
			assert.Equal(t, c.limit, time.Duration(l.limit.Load()))
			assert.True(t, l.over(longestIdle+1))
			assert.Equal(t, c.limit > 0, l.over(longestIdle))
		})
	}
}

// withoutSweeps is a transport whose time the test says.
func withoutSweeps(t *testing.T, target wire.Target) *leanTransport {
	t.Helper()
	base, err := url.Parse(target.URL)
	require.NoError(t, err)
	carrier := newLeanTransport(base, nil, Options{Timeout: longest, Trace: true})
	t.Cleanup(carrier.Close)
	return carrier
}

// A time-out that was observed is kept from then on: no connection is used near it. When a connection closed is what
// the sweep says, which is given the time here.
func TestAnObservedTimeoutIsKept(t *testing.T) {
	var keeps atomic.Bool
	s := newIdler(t, nil, func(c net.Conn, _ *net.TCPConn, _ *bufio.Reader) {
		if !keeps.Load() {
			c.Close()
		}
	})
	carrier := withoutSweeps(t, s.target)
	const timeout = 500 * time.Millisecond
	for i := range 2 {
		assert.Zero(t, carrier.timeouts.limit.Load(), "one close may be a reload")
		answer, _ := ask(carrier, longest, post)
		require.NoError(t, answer.Err)
		<-s.did
		c := carrier.idle[0]
		require.Eventually(t, func() bool { return !c.stillOpen() }, longest, time.Millisecond)
		c.since = c.since.Add(time.Duration(i) * time.Minute)
		for _, gone := range carrier.sweepOnce(c.since.Add(timeout + time.Duration(i)*sweepEvery/2)) {
			carrier.discard(gone)
		}
		require.Empty(t, carrier.idle)
	}
	assert.Equal(t, timeout-2*sweepEvery, time.Duration(carrier.timeouts.limit.Load()))

	// From then on one that the service still keeps open is let go before that time, and not sooner.
	keeps.Store(true)
	answer, _ := ask(carrier, longest, post)
	require.NoError(t, answer.Err)
	c := carrier.idle[0]
	assert.Empty(t, carrier.sweepOnce(c.since.Add(timeout-2*sweepEvery)))
	gone := carrier.sweepOnce(c.since.Add(timeout - 2*sweepEvery + 1))
	require.Equal(t, []*connection{c}, gone)
	assert.True(t, c.stillOpen())
	carrier.discard(c)
}

// Squid ends an idle connection when the next request comes, which it has read. The request is wrong, and the third is
// not sent so late.
func TestATimeoutThatShowsInUseIsLearnt(t *testing.T) {
	s := newIdler(t, nil, func(c net.Conn, _ *net.TCPConn, in *bufio.Reader) {
		read(in)
		c.Close()
	})
	carrier := withoutSweeps(t, s.target)
	wrong := 0
	for range 8 {
		answer, _ := ask(carrier, longest, post)
		if answer.Err != nil {
			wrong++
			assert.Equal(t, hit.KindReset, WhyNone(answer.Err))
		}
		// Half a minute passes.
		for _, c := range carrier.idle {
			c.since = c.since.Add(-30 * time.Second)
		}
		carrier.timeouts.seen = carrier.timeouts.seen.Add(-30 * time.Second)
	}
	assert.Equal(t, 2, wrong)
	assert.InDelta(t, 27, time.Duration(carrier.timeouts.limit.Load()).Seconds(), 2)
}

// TestAConnectionThatIsUsedAtOnceIsNotLookedAt: a look is a system call, and a hit without one has three.
func TestAConnectionThatIsUsedAtOnceIsNotLookedAt(t *testing.T) {
	if !delivery.Proves {
		t.Skip("this system does not prove that a request never reached the service")
	}
	s := newIdler(t, nil, func(net.Conn, *net.TCPConn, *bufio.Reader) {})
	carrier := withoutSweeps(t, s.target)
	answer, _ := ask(carrier, longest, post)
	require.NoError(t, answer.Err)
	c, err := carrier.takeIdle()
	require.NoError(t, err)
	defer func() { carrier.put(c, time.Now()) }()
	looks := 0
	c.below.look = func(uintptr) { looks, c.below.waits = looks+1, false }
	assert.True(t, carrier.fit(c, 500*time.Microsecond))
	assert.Zero(t, looks)
	assert.True(t, carrier.fit(c, time.Millisecond))
	assert.Equal(t, 1, looks)
}

// BenchmarkLook is what looking at an idle connection costs.
func BenchmarkLook(b *testing.B) {
	for _, over := range []string{"http", "TLS 1.3"} {
		b.Run(over, func(b *testing.B) {
			s := newIdler(b, kindsOfTLS[over], func(net.Conn, *net.TCPConn, *bufio.Reader) {})
			carrier := connectTo(b, s.target).(*leanTransport)
			answer, _ := ask(carrier, longest, post)
			require.NoError(b, answer.Err)
			c, err := carrier.takeIdle()
			require.NoError(b, err)
			defer func() { carrier.put(c, time.Now()) }()
			b.ReportAllocs()
			for b.Loop() {
				if !c.stillOpen() {
					b.Fatal("closed")
				}
			}
		})
	}
}

// A gateway that reloads may close its port for a moment and keep the connections that it has: one of them is used
// where none can be opened, and not where the service has closed it.
func TestAConnectionOfBeforeAReloadIsBetterThanNone(t *testing.T) {
	for name, ended := range map[string]bool{"kept": false, "closed": true} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			talking := make(chan net.Conn, 1)
			var talk sync.WaitGroup
			talk.Go(func() {
				c, err := listener.Accept()
				if err != nil {
					return
				}
				defer c.Close()
				talking <- c
				for in := bufio.NewReader(c); read(in); {
					io.WriteString(c, rightAnswer)
				}
			})
			t.Cleanup(talk.Wait)
			carrier := connectTo(t, wire.Target{URL: "http://" + listener.Addr().String()}).(*leanTransport)
			answer, _ := ask(carrier, longest, post)
			require.NoError(t, answer.Err)
			require.NoError(t, listener.Close())
			carrier.generation.Add(1) // another connection was closed in use
			if ended {
				(<-talking).Close()
				talk.Wait()
			}
			for range 3 {
				answer, phases := ask(carrier, longest, post)
				if ended {
					require.Error(t, answer.Err)
					assert.Equal(t, hit.KindRefused, WhyNone(answer.Err))
					continue
				}
				require.NoError(t, answer.Err)
				assert.False(t, phases.NewConnection)
			}
		})
	}
}
