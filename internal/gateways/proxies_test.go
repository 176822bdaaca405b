//go:build linux

package gateways

import (
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/internal/ports"
	"agstest/load"
	"agstest/load/clients"
	"agstest/load/schedule"
	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// passwords are lines of Squid that want a user name and password on its port for forward proxying.
func passwords(t *testing.T) string {
	t.Helper()
	const helper = "/usr/lib/squid/basic_ncsa_auth"
	if _, err := os.Stat(helper); err != nil {
		t.Skipf("%s is not there: it comes with squid", helper)
	}
	hashed, err := exec.Command("openssl", "passwd", "-apr1", "open sesame").Output()
	if err != nil {
		t.Skip("openssl is not installed")
	}
	file := filepath.Join(t.TempDir(), "users")
	require.NoError(t, os.WriteFile(file, []byte("alice:"+string(hashed)), 0o644))
	readable(t, file)
	return "auth_param basic program " + helper + " " + file + "\nauth_param basic realm gateway\nacl known proxy_auth REQUIRED\nhttp_access deny !known\n"
}

// readable lets the user of a gateway read a file of a test.
func readable(t *testing.T, file string) {
	for dir := filepath.Dir(file); strings.HasPrefix(dir, os.TempDir()+"/"); dir = filepath.Dir(dir) {
		require.NoError(t, os.Chmod(dir, 0o755))
	}
}

// TestForwardProxies: plain HTTP and CONNECT through a real Squid, with a password and without, from the file and from
// HTTPS_PROXY.
func TestForwardProxies(t *testing.T) {
	t.Parallel()
	m := mock.New(mock.Config{})
	plain, secure := httptest.NewServer(m), httptest.NewTLSServer(m)
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600))
	closed := ports.Closed(t)
	at := func(url, proxy string, variables ...string) *environment.Environment {
		file := ""
		if strings.HasPrefix(url, "https:") {
			file = ca
		}
		e, err := environment.Parse(append(m.Environment(url, "", file), "proxy: "+proxy+"\n"...), "mock.yaml", ".", func(name string) (string, bool) {
			for _, v := range variables {
				if value, is := strings.CutPrefix(v, name+"="); is {
					return value, true
				}
			}
			return "", false
		})
		require.NoError(t, err)
		e.Mock = nil
		return e
	}
	hosts := filepath.Join(t.TempDir(), "hosts")
	require.NoError(t, os.WriteFile(hosts, []byte("127.0.0.1 example.com\n"), 0o644))
	readable(t, hosts)
	open := Start(t, Squid, Config{Upstream: strings.TrimPrefix(plain.URL, "http://"), Outer: "hosts_file " + hosts})
	locked := Start(t, Squid, Config{Upstream: strings.TrimPrefix(plain.URL, "http://"), Outer: passwords(t)})
	picky := Start(t, Squid, Config{Upstream: strings.TrimPrefix(plain.URL, "http://"), Outer: "acl good port 443\nhttp_access deny CONNECT !good"})
	through := func(g *Gateway, user string) string { return fmt.Sprintf("http://%s127.0.0.1:%d", user, g.AdminPort) }
	for name, e := range map[string]*environment.Environment{
		"plain":                        at(plain.URL, through(open, "")),
		"CONNECT":                      at(secure.URL, through(open, "")),
		"plain, with a password":       at(plain.URL, through(locked, "alice:open%20sesame@")),
		"CONNECT, with a password":     at(secure.URL, through(locked, "alice:open%20sesame@")),
		"plain, as HTTP_PROXY says":    at(strings.Replace(plain.URL, "127.0.0.1", "example.com", 1), "environment", "HTTP_PROXY="+through(open, "")),
		"CONNECT, as HTTPS_PROXY says": at(strings.Replace(secure.URL, "127.0.0.1", "example.com", 1), "environment", "HTTPS_PROXY="+through(open, "")),
		"CONNECT, as https_proxy says": at(strings.Replace(secure.URL, "127.0.0.1", "example.com", 1), "environment", "https_proxy="+through(open, "")),
	} {
		t.Run(name, func(t *testing.T) {
			report, err := steps.Run(t.Context(), steps.Options{Environment: e, Only: []string{"SOST-01"}, Timeout: 10 * time.Second})
			require.NoError(t, err)
			for _, q := range report.Requirements {
				assert.False(t, q.ID == "SOST-01" && q.Verdict != reports.Pass, "%s: %s", q.ID, q.Reason)
			}
			sent, err := load.Run(t.Context(), load.Options{
				Environment: e, Traffic: clients.Traffic{Workload: clients.WorkloadRefresh, Clients: 5}, Rate: schedule.Rate{Hits: 20, Per: time.Second},
				Duration: 500 * time.Millisecond, MaxLag: time.Minute,
			})
			require.NoError(t, err)
			assert.Zero(t, sent.Total.Wrong)
			assert.Equal(t, "net/http, since a proxy is asked for", sent.Plan.Transport)
		})
	}
	const wants = "the proxy wants a user name and password, or other ones; put them into the address of the proxy"
	const none = "the proxy cannot be used: the connection to "
	for name, c := range map[string]struct {
		e    *environment.Environment
		says string
	}{
		"plain, without its password":   {at(plain.URL, through(locked, "")), wants},
		"CONNECT, without its password": {at(secure.URL, through(locked, "")), wants},
		"plain, another password":       {at(plain.URL, through(locked, "alice:wrong@")), wants},
		"CONNECT, another password":     {at(secure.URL, through(locked, "alice:wrong@")), wants},
		"plain, to a closed port":       {at("http://"+closed, through(open, "")), "status 503) with the page “ERROR: The requested URL could not be retrieved”"},
		"CONNECT, to a closed port":     {at("https://"+closed, through(open, "")), "the proxy could not connect to the service (status 503); check the host and port in url"},
		"CONNECT, to a refused port":    {at(secure.URL, through(picky, "")), "the proxy does not allow a connection to this host and port (status 403); ask who runs it"},
		"plain, no proxy there":         {at(plain.URL, "http://"+closed), none},
		"CONNECT, no proxy there":       {at(secure.URL, "http://"+closed), none},
	} {
		t.Run(name, func(t *testing.T) { nothingJudged(t, c.e, c.says) })
	}
}
