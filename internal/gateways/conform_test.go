//go:build linux

package gateways

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/ports"
	"agstest/load"
	"agstest/load/clients"
	"agstest/load/schedule"
	"agstest/mock"
	"agstest/steps"
)

// liveMock is the mock as a live service is met: without its control interface. Its environment is for the address it
// is reached at.
func liveMock(t *testing.T) (upstream string, at func(url, ca string) *environment.Environment) {
	t.Helper()
	m := mock.New(mock.Config{})
	service := httptest.NewServer(m)
	t.Cleanup(service.Close)
	return strings.TrimPrefix(service.URL, "http://"), func(url, ca string) *environment.Environment {
		e, err := environment.Parse(m.Environment(url, "http://127.0.0.1:1", ca), "mock.yaml", ".", func(string) (string, bool) { return "", false })
		require.NoError(t, err)
		e.Mock = nil
		e.Allow.Devices = 100
		return e
	}
}

// patience is how long an answer may take on a machine that does much else.
const patience = time.Minute

// suites are at most so many at the same time: each computes, and answers that come late would be nobody's fault but
// this machine's.
var suites = make(chan struct{}, 2)

// judged are the verdicts of a run that stand for something: a warning, a pass and an observation stay what they are
// whoever stands between.
func judged(t *testing.T, e *environment.Environment) map[string]string {
	t.Helper()
	suites <- struct{}{}
	defer func() { <-suites }()
	pace, _ := environment.ParseRate(e.Load.MaxRate)
	report, err := steps.Run(context.Background(), steps.Options{Environment: e, Seed: 7, Timeout: patience, Patience: 5 * time.Second, Generate: 2, Sequences: 0, MaxRate: pace})
	require.NoError(t, err)
	verdicts := map[string]string{}
	for _, q := range report.Requirements {
		verdicts[q.ID] = string(q.Verdict) + ": " + q.Reason
	}
	return verdicts
}

// explained are the requirements whose verdict a gateway may change, and why. docs/gateways.md has them for readers.
var explained = map[string]map[string]string{
	"varnish, production false": {"DISC-02": "its built-in rules give every tenant the discovery that the first one got"},
	"caddy, production false":   {"SOST-17": address, "ERR-01": address, "ERR-02": address},
	"caddy, production true":    {"SOST-17": address, "ERR-01": address, "ERR-02": address},
}

const address = "it replaces X-Forwarded-For by the address that it sees, so that a caller cannot say to be elsewhere"

// briefly are the programs, and whether with the file of operators, that conform is tried through without "make
// gateways": each program once.
var briefly = map[Program]bool{
	Nginx: false, HAProxy: true, Apache: true, Varnish: false, Squid: true, Caddy: true,
	Lighttpd: true, Nghttpx: true, TrafficServer: false, Hitch: false, Stunnel: false,
}

// TestConformThroughEachGateway: a gateway changes no verdict but the listed ones, and those only to one that says it
// could not be told.
func TestConformThroughEachGateway(t *testing.T) {
	t.Parallel()
	upstream, at := liveMock(t)
	direct := judged(t, at("http://"+upstream, ""))
	for _, program := range slices.Concat(Programs, Others) {
		for _, production := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, production %t", program, production), func(t *testing.T) {
				if production != briefly[program] && !wide {
					t.Skip("make gateways")
				}
				t.Parallel()
				upstream, at := liveMock(t)
				g := Start(t, program, Config{Upstream: upstream, Production: production})
				through := judged(t, at(g.Address()))
				if program == Nginx { // it has 8 kB of room for a line of a request
					assert.Contains(t, through["GW-07"], "4 kB more of headers: yes: status 200 with tokens; ")
					assert.Contains(t, through["GW-07"], "16 kB more of headers: no: status 400 of what looks like a gateway, with the page “400 Request Header Or Cookie Too Large”; ")
					assert.Contains(t, through["GW-07"], "16 kB more of body: yes: status 200 with tokens")
				}
				for id, want := range direct {
					got := through[id]
					wanted, _, _ := strings.Cut(want, ":")
					verdict, _, _ := strings.Cut(got, ":")
					name := fmt.Sprintf("%s, production %t", program, production)
					if explained[name][id] == address {
						assert.Equal(t, "error", verdict, "%s: could not be told, and says why", id)
						assert.Contains(t, got, "a gateway on the way may replace it")
						continue
					}
					if verdict == wanted || id == "GW-04" || explained[name][id] != "" { // GW-04 is about https
						continue
					}
					if program == Apache && lostByApache(verdict, got) {
						continue
					}
					t.Errorf("%s is %s (direct: %s)", id, got, want)
				}
			})
		}
	}
}

// lostByApache tells of a verdict that could not be told, or of what was to be recorded, since Apache closed a
// connection with a request on it. It does where it ends processes that it has too many of.
func lostByApache(verdict, why string) bool {
	return (verdict == "error" || verdict == "observed") && strings.Contains(why, "the service closed the connection without a whole answer")
}

// TestServiceBehindAGatewayIsDown: a gateway that is up tells nothing of a service that is not. Neither conform nor
// load judges its page.
func TestServiceBehindAGatewayIsDown(t *testing.T) {
	t.Parallel()
	nobody := ports.Closed(t)
	_, at := liveMock(t)
	for _, program := range slices.Concat(Programs, Others) {
		t.Run(string(program), func(t *testing.T) {
			t.Parallel()
			g := Start(t, program, Config{Upstream: nobody})
			says := "the gateway is up, and the service behind it is down or shut off"
			if g.URL == "" {
				says = "if a gateway ends TLS there, the service behind it is down or shut off"
			}
			nothingJudged(t, at(g.PlainAddress()), says)
		})
	}
}

// nothingJudged wants conform and load to end before they judge, with the same sentence.
func nothingJudged(t *testing.T, e *environment.Environment, says string) {
	t.Helper()
	_, err := steps.Run(t.Context(), steps.Options{Environment: e, Only: []string{"SOST-01"}, Timeout: 10 * time.Second})
	require.ErrorContains(t, err, says)
	assert.Equal(t, failure.Setup, failure.KindOf(err))
	t.Log(err)
	_, err = load.Run(t.Context(), load.Options{Environment: e, Traffic: clients.Traffic{Workload: clients.WorkloadSignOn, Clients: 2}, Rate: schedule.Rate{Hits: 10, Per: time.Second}, Duration: 100 * time.Millisecond})
	require.ErrorContains(t, err, says)
	assert.Equal(t, failure.Setup, failure.KindOf(err))
}

// TestAddressesThatAGatewayRefuses: plain HTTP on a port of TLS, TLS without the client certificate it wants, a
// redirect to TLS.
func TestAddressesThatAGatewayRefuses(t *testing.T) {
	t.Parallel()
	upstream, at := liveMock(t)
	for _, program := range slices.Concat(Programs, Others) {
		t.Run(string(program), func(t *testing.T) {
			t.Parallel()
			g := Start(t, program, Config{Upstream: upstream})
			if g.SecureURL == "" {
				t.Skipf("%s ends no TLS", program)
			}
			nothingJudged(t, at("http"+strings.TrimPrefix(g.SecureURL, "https"), ""), "write https:// in url")
			if program == Caddy {
				return // its policies go by the server name, and an address has none
			}
			wants := Start(t, program, Config{Upstream: upstream, ClientCert: true})
			nothingJudged(t, at(wants.SecureURL, wants.Authority.File), "client certificate")
		})
	}
	t.Run("a redirect to https", func(t *testing.T) {
		t.Parallel()
		g := Start(t, Nginx, Config{Upstream: upstream, Inner: "if ($scheme = http) { return 301 https://$host$request_uri; }"})
		nothingJudged(t, at(g.URL, ""), "the gateway there wants TLS; write https:// in url")
	})
}

// TestASharedCacheMixesTenantsUp: Varnish with its built-in rules tells each tenant what the first one was told. It is
// seen where the file names a service of the other tenant, and the report says that the answer is from a cache.
func TestASharedCacheMixesTenantsUp(t *testing.T) {
	t.Parallel()
	m := mock.New(mock.Config{})
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/ags/servicediscovery" || r.Header.Get("nv-tenant-id") != "acme" {
			m.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		m.ServeHTTP(answer, r)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, strings.ReplaceAll(answer.Body.String(), `"Operator SSO"`, `"Acme SSO"`))
	}))
	t.Cleanup(service.Close)
	g := Start(t, Varnish, Config{Upstream: strings.TrimPrefix(service.URL, "http://")})
	for address, mixed := range map[string]bool{service.URL: false, g.URL: true} {
		e, err := environment.Parse(m.Environment(address, "", ""), "mock.yaml", ".", func(string) (string, bool) { return "", false })
		require.NoError(t, err)
		e.Mock = nil
		other := e.Situations["other-tenant"]
		other.Service = "Acme SSO"
		e.Situations["other-tenant"] = other
		report, err := steps.Run(t.Context(), steps.Options{Environment: e, Only: []string{"FLOW-11"}, Timeout: time.Minute})
		require.NoError(t, err)
		missed := false
		for _, q := range report.Requirements {
			for _, f := range q.Findings {
				missed = missed || q.ID == "FLOW-11" && f.Expected == `the service "Acme SSO"` && strings.Contains(f.Got, "it was answered from a cache (")
			}
		}
		assert.Equal(t, mixed, missed)
		notes := strings.Join(report.Notes, "\n")
		assert.Equal(t, mixed, strings.Contains(notes, "of servicediscovery were answered from a cache (") && strings.Contains(notes, "Via: 1.1 varnish") && strings.Contains(notes, "; one answer went to "), notes)
	}
}
