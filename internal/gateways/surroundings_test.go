//go:build linux

package gateways_test

import (
	"crypto/tls"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/gateways"
	"agstest/load"
	"agstest/load/clients"
	"agstest/load/schedule"
	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// run sends refreshes for a second through a gateway.
func (s *service) run(t testing.TB, g *gateways.Gateway, address string, client bool) *reports.Load {
	t.Helper()
	e := s.environment(t, g, address)
	if client {
		e.TLS.Cert, e.TLS.Key = g.Authority.ClientCert, g.Authority.ClientKey
	}
	report, err := load.Run(t.Context(), load.Options{
		Environment: e, Traffic: clients.Traffic{Workload: clients.WorkloadRefresh, Clients: 10}, Rate: schedule.Rate{Hits: 50, Per: time.Second}, Duration: time.Second,
		MaxLag: time.Minute, Timeout: time.Minute,
	})
	require.NoError(t, err, g.Output())
	require.EqualValues(t, 50, report.Total.Sent)
	return report
}

// TestLoadThroughEachKindOfTLS: TLS 1.2 alone, certificates of clients, HTTP/2 alone.
func TestLoadThroughEachKindOfTLS(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for _, c := range []struct {
		name    string
		program gateways.Program
		config  gateways.Config
	}{
		{"TLS 1.2 alone", gateways.Nginx, gateways.Config{Inner: "ssl_protocols TLSv1.2;"}},
		{"TLS 1.3 alone", gateways.Nginx, gateways.Config{Inner: "ssl_protocols TLSv1.3;"}},
		{"certificates of clients", gateways.Nginx, gateways.Config{ClientCert: true}},
		{"certificates of clients", gateways.HAProxy, gateways.Config{ClientCert: true}},
		{"certificates of clients", gateways.Apache, gateways.Config{ClientCert: true}},
		{"certificates of clients", gateways.Caddy, gateways.Config{ClientCert: true}},
	} {
		t.Run(string(c.program)+", "+c.name, func(t *testing.T) {
			t.Parallel()
			c.config.Upstream = s.address
			g := gateways.Start(t, c.program, c.config)
			// With certificates of clients Caddy wants the name of the host in the handshake, which an address is not, and
			// answers 421.
			report := s.run(t, g, strings.Replace(g.SecureURL, "127.0.0.1", "localhost", 1), c.config.ClientCert)
			assert.Zero(t, report.Total.Wrong)
			assert.Zero(t, report.Total.Resent)
		})
	}
}

// TestThroughHTTP2Alone: load and conform speak HTTP/2 where nothing else is spoken. Go, and so Caddy from 2.7 on and
// Traefik, ends the handshake without a protocol where it speaks HTTP/2 alone and HTTP/1.1 is offered. Debian's Caddy
// 2.6 does not start without HTTP/1.1.
func TestThroughHTTP2Alone(t *testing.T) {
	t.Parallel()
	s := newService(t)
	to, err := url.Parse("http://" + s.address)
	require.NoError(t, err)
	through := httputil.NewSingleHostReverseProxy(to)
	proxy := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 1 {
			panic(http.ErrAbortHandler) // as Caddy: the connection is closed
		}
		through.ServeHTTP(w, r)
	}))
	proxy.TLS = &tls.Config{NextProtos: []string{"h2"}}
	proxy.EnableHTTP2 = true
	proxy.StartTLS()
	t.Cleanup(proxy.Close)
	proxy.TLS.NextProtos = []string{"h2"}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: proxy.Certificate().Raw}), 0o600))
	g := &gateways.Gateway{Authority: &gateways.Authority{File: ca}}
	report := s.run(t, g, proxy.URL, false)
	assert.Zero(t, report.Total.Wrong)
	assert.Equal(t, "net/http, since the service speaks HTTP/2 only", report.Plan.Transport)
	e := s.environment(t, g, proxy.URL)
	e.Mock = nil
	checked, err := steps.Run(t.Context(), steps.Options{Environment: e, Only: []string{"SOST-01"}, Timeout: time.Minute})
	require.NoError(t, err)
	for _, q := range checked.Requirements {
		assert.False(t, q.ID == "SOST-01" && q.Verdict != reports.Pass, q.Reason)
	}
	assert.Contains(t, strings.Join(checked.Notes, "; "), "HTTP/2")
}

// TestTheServiceStartsAgainBehindAGateway: connections to the gateway stay, its answers while the service is away are
// wrong ones, and all is right afterwards.
func TestTheServiceStartsAgainBehindAGateway(t *testing.T) {
	t.Parallel()
	m := mock.New(mock.Config{})
	first := httptest.NewServer(m)
	address := first.Listener.Addr().String()
	s := &service{Server: m, address: address}
	g := gateways.Start(t, gateways.Nginx, gateways.Config{Upstream: address})
	require.Zero(t, s.run(t, g, g.SecureURL, false).Total.Wrong)
	first.Close()
	require.Contains(t, status(t, g), "502")
	again := httptest.NewUnstartedServer(m)
	again.Listener.Close()
	again.Listener = listen(t, address)
	again.Start()
	t.Cleanup(again.Close)
	assert.Zero(t, s.run(t, g, g.SecureURL, false).Total.Wrong)
}

// status asks a gateway for discovery over TLS, as curl would.
func status(t testing.TB, g *gateways.Gateway) string {
	t.Helper()
	c, err := tls.Dial("tcp", strings.TrimPrefix(g.SecureURL, "https://"), &tls.Config{RootCAs: g.Authority.Pool, ServerName: "127.0.0.1"})
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Write([]byte("GET /ags/servicediscovery HTTP/1.0\r\n\r\n"))
	require.NoError(t, err)
	var line [64]byte
	n, err := c.Read(line[:])
	require.NoError(t, err)
	return string(line[:n])
}

func listen(t testing.TB, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	require.NoError(t, err)
	return l
}
