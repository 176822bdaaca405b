package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http/httptrace"
	"net/url"
	"os"
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
		assert.Equal(t, c.want, Explain(j.sayWhere(late, 30*time.Second)), name)
		for _, other := range []error{context.Canceled, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}} {
			assert.Equal(t, other, j.sayWhere(other, time.Second), "%s: it says why itself", name)
		}
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
