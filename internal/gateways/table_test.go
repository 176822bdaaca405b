//go:build linux

package gateways

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// row is a row of the first table of docs/gateways.md, for a program with its defaults.
type row struct {
	idle     time.Duration // after which an idle connection is closed
	requests int           // that one connection carries; 0: any number
	reload   string        // what a reload does to an idle connection
}

// rows reads the table, which so stays true.
func rows(t *testing.T) map[Program]row {
	t.Helper()
	page, err := os.ReadFile("../../docs/gateways.md")
	require.NoError(t, err)
	all := map[Program]row{}
	lines := regexp.MustCompile(`(?m)^\| (\w+(?: \w+)?) [0-9.]+ \| (\d+) (s|min)\b[^|]*\| ([\d,]+|any) \|.*\| (closes|keeps) idle connections[^|]*\|$`)
	for _, line := range lines.FindAllStringSubmatch(string(page), -1) {
		r := row{reload: line[5]}
		number, err := strconv.Atoi(line[2])
		require.NoError(t, err)
		r.idle = time.Duration(number) * map[string]time.Duration{"s": time.Second, "min": time.Minute}[line[3]]
		r.requests, _ = strconv.Atoi(strings.ReplaceAll(line[4], ",", ""))
		all[Program(strings.ToLower(strings.ReplaceAll(line[1], " ", "")))] = r
	}
	require.Len(t, all, len(Programs)+3, "and of the others those that speak HTTP")
	return all
}

// TestTheTableIsTrue compares what docs/gateways.md says with the programs. Idle times above 5 s are waited for by make
// gateways alone.
func TestTheTableIsTrue(t *testing.T) {
	t.Parallel()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }))
	t.Cleanup(service.Close)
	config := Config{Upstream: strings.TrimPrefix(service.URL, "http://")}
	for program, says := range rows(t) {
		for _, secure := range []bool{false, true} {
			if secure && !kindOf(program).secure {
				continue
			}
			t.Run(fmt.Sprintf("%s, secure %t, idle", program, secure), func(t *testing.T) {
				if says.idle > 5*time.Second && !wide {
					t.Skip("make gateways")
				}
				t.Parallel()
				c := dial(t, Start(t, program, config), secure)
				c.post(t, "")
				began := time.Now()
				require.NoError(t, c.SetReadDeadline(began.Add(2*says.idle+5*time.Second)))
				_, err := c.reader.ReadByte()
				assert.ErrorIs(t, err, io.EOF, "a FIN, and over TLS a close_notify before it")
				assert.GreaterOrEqual(t, time.Since(began).Seconds(), 0.9*says.idle.Seconds()-1, "not later than twice as long: the deadline")
			})
			t.Run(fmt.Sprintf("%s, secure %t, a reload", program, secure), func(t *testing.T) {
				t.Parallel()
				config, within := config, 10*time.Second
				if says.reload == "keeps" {
					config.Idle, within = time.Minute, time.Second // Varnish takes seconds to load, and closes it after 5 s by default
				}
				g := Start(t, program, config)
				c := dial(t, g, secure)
				c.post(t, "")
				g.Reload()
				require.NoError(t, c.SetReadDeadline(time.Now().Add(within)))
				_, err := c.reader.ReadByte()
				assert.Equal(t, says.reload == "keeps", errors.Is(err, os.ErrDeadlineExceeded), "%v", err)
			})
		}
		t.Run(string(program)+", many requests", func(t *testing.T) {
			t.Parallel()
			c := dial(t, Start(t, program, config), false)
			closes := 0
			for i := 1; i <= 1200 && closes == 0; i++ {
				if answer := c.post(t, ""); answer.Close {
					closes = i
				}
			}
			assert.Equal(t, says.requests, closes)
		})
	}
}

// TestApacheSaysWhenItClosesOnlyIfAsked: it names its time-out to a client that says Connection: keep-alive, which
// HTTP/1.1 does not ask for. load says it for that reason.
func TestApacheSaysWhenItClosesOnlyIfAsked(t *testing.T) {
	t.Parallel()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }))
	t.Cleanup(service.Close)
	c := dial(t, Start(t, Apache, Config{Upstream: strings.TrimPrefix(service.URL, "http://")}), false)
	assert.Empty(t, c.post(t, "").Header.Get("Keep-Alive"))
	assert.Equal(t, "timeout=5, max=99", c.post(t, "Connection: keep-alive\r\n").Header.Get("Keep-Alive"))
}

// conversation is one connection to a gateway.
type conversation struct {
	net.Conn
	reader *bufio.Reader
}

func dial(t *testing.T, g *Gateway, secure bool) *conversation {
	t.Helper()
	port := g.Port
	if secure {
		port = g.SecurePort
	}
	c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	require.NoError(t, err)
	if secure {
		c = tls.Client(c, &tls.Config{RootCAs: g.Authority.Pool, ServerName: "localhost"})
	}
	t.Cleanup(func() { c.Close() })
	return &conversation{Conn: c, reader: bufio.NewReader(c)}
}

// post sends an empty request with more header lines, and reads the answer.
func (c *conversation) post(t *testing.T, lines string) *http.Response {
	t.Helper()
	_, err := fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n%s\r\n", lines)
	require.NoError(t, err)
	answer, err := http.ReadResponse(c.reader, nil)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, answer.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode)
	return answer
}
