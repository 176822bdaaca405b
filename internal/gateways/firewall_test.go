//go:build linux

package gateways

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/steps"
)

// firewall makes Apache one of web applications, with mod_security and the Core Rule Set as Debian packages them, which
// refuses what it is not sure of.
func firewall(t *testing.T) Config {
	t.Helper()
	for _, name := range []string{"/usr/lib/apache2/modules/mod_security2.so", "/usr/share/modsecurity-crs/owasp-crs.load"} {
		if _, err := os.Stat(name); err != nil {
			missing(t, name+" is not there", "libapache2-mod-security2 modsecurity-crs")
		}
	}
	return Config{Outer: `LoadModule unique_id_module /usr/lib/apache2/modules/mod_unique_id.so
LoadModule security2_module /usr/lib/apache2/modules/mod_security2.so
SecDataDir /tmp
Include /etc/modsecurity/modsecurity.conf-recommended
SecRuleEngine On
SecAuditEngine Off
Include /usr/share/modsecurity-crs/owasp-crs.load`}
}

// TestAFirewallIsNotTheService: a refusal by a firewall's own page counts neither against the service nor for it. What
// it bars in a row of tries leaves the rest of them as it is. All else is judged as without it.
func TestAFirewallIsNotTheService(t *testing.T) {
	if !wide {
		t.Skip("make gateways: its rules cost much time")
	}
	t.Parallel()
	config := firewall(t)
	direct, at := liveMock(t)
	want := judged(t, at("http://"+direct, ""))
	upstream, at := liveMock(t)
	config.Upstream = upstream
	g := Start(t, Apache, config)
	e := at(strings.Replace(g.URL, "127.0.0.1", "localhost", 1), "") // an address for a host counts against a request
	barred := 0
	for id, got := range judged(t, e) {
		wanted, _, _ := strings.Cut(want[id], ":")
		verdict, _, _ := strings.Cut(got, ":")
		switch {
		case (verdict == "error" || verdict == "partly") && strings.Contains(got, "came with a page of Apache, “"):
			barred++
		case verdict == wanted, id == "GW-07": // which tells what gets through
		case lostByApache(verdict, got):
		default:
			t.Errorf("%s is %s (direct: %s)", id, got, want[id])
		}
	}
	assert.Greater(t, barred, 5, "the firewall was met")
	assert.Less(t, barred, 30)

	e = at(strings.Replace(g.URL, "127.0.0.1", "localhost", 1), "")
	report, err := steps.Run(t.Context(), steps.Options{Environment: e, Only: []string{"GST-03"}, Timeout: time.Minute})
	require.NoError(t, err)
	assert.Contains(t, strings.Join(report.Notes, "\n"), "pages of Apache came in place of the service's answers: a firewall or another rule there refused requests to getSessionToken")
}
