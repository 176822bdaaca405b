//go:build linux

package gateways

import (
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/internal/ports"
	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// TestForwardProxiesOfOtherKinds: tinyproxy, which says 500 of a service that it cannot reach, and Dante, which speaks
// SOCKS5 and knows no statuses. Their refusals are reported as Squid's are.
func TestForwardProxiesOfOtherKinds(t *testing.T) {
	t.Parallel()
	m := mock.New(mock.Config{})
	plain, secure := httptest.NewServer(m), httptest.NewTLSServer(m)
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600))
	closed := ports.Closed(t)
	at := func(url, proxy string) *environment.Environment {
		file := ""
		if strings.HasPrefix(url, "https:") {
			file = ca
		}
		e, err := environment.Parse(append(m.Environment(url, "", file), "proxy: "+proxy+"\n"...), "mock.yaml", ".", func(string) (string, bool) { return "", false })
		require.NoError(t, err)
		e.Mock = nil
		return e
	}
	start := func(t *testing.T, program Program, outer string) (host string) {
		t.Helper()
		return fmt.Sprintf("127.0.0.1:%d", Start(t, program, Config{Upstream: closed, Outer: outer}).Port)
	}
	passes := func(t *testing.T, e *environment.Environment) {
		t.Helper()
		report, err := steps.Run(t.Context(), steps.Options{Environment: e, Only: []string{"SOST-01"}, Timeout: 10 * time.Second})
		require.NoError(t, err)
		for _, q := range report.Requirements {
			assert.False(t, q.ID == "SOST-01" && q.Verdict != reports.Pass, "%s: %s", q.ID, q.Reason)
		}
	}
	const wants = "the proxy wants a user name and password, or other ones; put them into the address of the proxy"
	t.Run("tinyproxy", func(t *testing.T) {
		t.Parallel()
		locked := start(t, Tinyproxy, "BasicAuth alice sesame")
		passes(t, at(plain.URL, "http://alice:sesame@"+locked))
		passes(t, at(secure.URL, "http://alice:sesame@"+locked))
		nothingJudged(t, at(plain.URL, "http://"+locked), wants)
		nothingJudged(t, at(secure.URL, "http://"+locked), wants)
		nothingJudged(t, at("http://"+closed, "http://alice:sesame@"+locked), "it cannot reach the service (Tinyproxy was unable to connect to the remote web server)")
		picky := start(t, Tinyproxy, "ConnectPort 443")
		nothingJudged(t, at(secure.URL, "http://"+picky), "the proxy does not allow a connection to this host and port (status 403)")
	})
	t.Run("dante", func(t *testing.T) {
		t.Parallel()
		open := start(t, Dante, "socksmethod: none")
		passes(t, at(plain.URL, "socks5://"+open))
		passes(t, at(secure.URL, "socks5://"+open))
		nothingJudged(t, at("http://"+closed, "socks5://"+open), "the proxy could not connect to the service (SOCKS: connection refused)")
		nothingJudged(t, at("http://192.0.2.1", "socks5://"+open), "the proxy does not allow a connection to this host and port (SOCKS)")
		locked := start(t, Dante, "socksmethod: username\nuser.privileged: root")
		nothingJudged(t, at(plain.URL, "socks5://"+locked), wants)
	})
}
