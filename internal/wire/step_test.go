package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptrace"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestATimeoutTellsWhatWasWaitedFor: a firewall that drops what comes is another matter than a service that thinks.
func TestATimeoutTellsWhatWasWaitedFor(t *testing.T) {
	proxy := &url.URL{Scheme: "http", Host: "proxy.example:3128"}
	late := timeoutError{after: 30 * time.Second}
	for name, c := range map[string]struct {
		proxy *url.URL
		steps func(*httptrace.ClientTrace)
		want  string
	}{
		"name": {nil, func(c *httptrace.ClientTrace) {
			c.DNSStart(httptrace.DNSStartInfo{Host: "api.example"})
		}, "the name of the host api.example was not resolved in time (30s)"},
		"connection": {nil, func(c *httptrace.ClientTrace) {
			c.ConnectStart("tcp", "192.0.2.1:443")
		}, "the connection to 192.0.2.1:443 was not accepted in time (30s)"},
		"TLS": {nil, func(c *httptrace.ClientTrace) {
			c.ConnectStart("tcp", "192.0.2.1:443")
			c.ConnectDone("tcp", "192.0.2.1:443", nil)
			c.TLSHandshakeStart()
		}, "TLS did not come about in time (30s)"},
		"answer": {nil, func(c *httptrace.ClientTrace) {
			c.ConnectStart("tcp", "192.0.2.1:443")
			c.ConnectDone("tcp", "192.0.2.1:443", nil)
			c.GotConn(httptrace.GotConnInfo{})
		}, "no whole answer within 30s"},
		"kept connection": {nil, func(c *httptrace.ClientTrace) {
			c.GotConn(httptrace.GotConnInfo{Reused: true})
			c.ConnectStart("tcp", "192.0.2.1:443") // that was begun beside it
		}, "no whole answer within 30s"},
		"proxy": {proxy, func(c *httptrace.ClientTrace) {
			c.ConnectStart("tcp", "192.0.2.2:3128")
		}, "the proxy cannot be used: the connection to 192.0.2.2:3128 was not accepted in time (30s)"},
		"way": {proxy, func(c *httptrace.ClientTrace) {
			c.ConnectStart("tcp", "192.0.2.2:3128")
			c.ConnectDone("tcp", "192.0.2.2:3128", nil)
		}, "the proxy opened no way to the service in time (30s)"},
		"no proxy": {proxy, func(c *httptrace.ClientTrace) {
			c.ConnectStart("tcp", "192.0.2.2:3128")
			c.ConnectDone("tcp", "192.0.2.2:3128", errors.New("no"))
		}, "the proxy cannot be used: the connection to 192.0.2.2:3128 was not accepted in time (30s)"},
	} {
		var j journey
		ctx := j.trace(context.WithValue(t.Context(), proxyKey{}, c.proxy))
		c.steps(httptrace.ContextClientTrace(ctx))
		assert.Equal(t, c.want, Explain(j.sayWhere(ctx, late, 30*time.Second)), name)
		other := &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
		assert.Equal(t, other, j.sayWhere(ctx, other, time.Second), "%s: it says why itself", name)
		ended, end := context.WithCancel(ctx)
		end()
		assert.Equal(t, context.Canceled, j.sayWhere(ended, context.Canceled, time.Second), name)
	}
}

// TestWhatAProxyEndsIsItsDoing: one that closes the connection, or is none, was taken for the service.
func TestWhatAProxyEndsIsItsDoing(t *testing.T) {
	const noProxy = "the proxy cannot be used: "
	way := func(answer string) string {
		return rawServer(t, func(conn net.Conn, _ []byte) { _, _ = io.WriteString(conn, answer) })
	}
	const closed = "closed the connection without a whole answer"
	for answer, want := range map[string]string{
		"":                    noProxy + "the proxy " + closed,
		"SSH-2.0-OpenSSH\r\n": noProxy + "what came back is not a valid HTTP/1.1 answer",
		"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n": proxyRefusal{403}.Error(),

		"HTTP/1.1 200 OK\r\n\r\n": "the service " + closed,
	} {
		proxy, err := url.Parse(way(answer))
		require.NoError(t, err)
		client := newClient(t, Target{URL: "https://ags.example", Proxy: proxy})
		_, err = client.Reach(t.Context())
		require.Error(t, err)
		// which of the two a closed connection looks like is up to the bytes that were not read
		said := strings.Replace(err.Error(), "reset the connection", closed, 1)
		assert.Equal(t, "GET https://ags.example/ags/servicediscovery got no answer: "+want, said)
		key := map[bool]string{true: "url", false: "proxy"}[strings.HasPrefix(want, "the service")]
		assert.Equal(t, key, KeyOf(err), want)
	}
}

// TestAPortThatAcceptsAndSaysNothing is what no TLS comes about with, and no way through a proxy.
func TestAPortThatAcceptsAndSaysNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
		}
	})
	t.Cleanup(func() { listener.Close(); serving.Wait() })
	mute := listener.Addr().String()
	for want, target := range map[string]Target{
		"TLS did not come about in time (50ms)": {URL: "https://" + mute},
		"the proxy opened no way to the service in time (50ms)": {URL: "https://ags.example",
			Proxy: &url.URL{Scheme: "http", Host: mute}},
		"no whole answer within 50ms": {URL: "http://" + mute},
	} {
		target.Timeout, target.TLS = 50*time.Millisecond, &tls.Config{}
		x := newClient(t, target).Do(t.Context(), Call{Method: "GET", Path: "/"})
		assert.Equal(t, want, Explain(x.Err))
		assert.Equal(t, target.URL != "http://"+mute, x.NoConnection, want)
	}
}
