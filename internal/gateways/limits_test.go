//go:build linux

package gateways

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// limiters are gateways with a limit of requests, and the answer that they give beyond it: neither says when to come
// again.
var limiters = []struct {
	name    string
	program Program
	config  Config
	maxRate string // a pace of the environment file that keeps the limit; empty: none that a test has time for
}{
	{"a narrow limit, 503", Nginx, Config{Outer: "limit_req_zone $binary_remote_addr zone=one:1m rate=10r/s;", Inner: "limit_req zone=one;"}, ""},
	{"a narrow limit, 429", HAProxy, Config{Inner: "stick-table type ip size 1k expire 10s store http_req_rate(1s)\n  http-request track-sc0 src\n  http-request deny deny_status 429 if { sc_http_req_rate(0) gt 10 }"}, ""},
	{"503 of limit_req", Nginx, Config{Outer: "limit_req_zone $binary_remote_addr zone=one:1m rate=200r/s;", Inner: "limit_req zone=one burst=20 nodelay;"}, "50/s"},
	{"429 of limit_req", Nginx, Config{Outer: "limit_req_zone $binary_remote_addr zone=one:1m rate=100r/s; limit_req_status 429;", Inner: "limit_req zone=one burst=20 nodelay;"}, "25/s"},
	{"429 of a stick table", HAProxy, Config{Inner: "stick-table type ip size 1k expire 10s store http_req_rate(1s)\n  http-request track-sc0 src\n  http-request deny deny_status 429 if { sc_http_req_rate(0) gt 200 }"}, "25/s"},
}

// TestALimitOfAGatewayIsNoFailure: an answer 429 or 503 without Retry-After is waited out within bounds, and what stays
// says nothing of the service: no requirement fails or warns that does not without the gateway. At a pace that keeps
// the limit all verdicts are the same.
func TestALimitOfAGatewayIsNoFailure(t *testing.T) {
	t.Parallel()
	upstream, at := liveMock(t)
	direct := judged(t, at("http://"+upstream, ""))
	for _, c := range limiters {
		for _, paced := range []bool{false, true} {
			if paced && c.maxRate == "" {
				continue
			}
			narrow := c.maxRate == ""
			t.Run(fmt.Sprintf("%s, %s, paced %t", c.program, c.name, paced), func(t *testing.T) {
				if (narrow || paced || c.name != "503 of limit_req") && !wide {
					t.Skip("make gateways")
				}
				t.Parallel()
				upstream, at := liveMock(t)
				config := c.config
				config.Upstream = upstream
				g := Start(t, c.program, config)
				e := at(g.URL, "")
				if paced {
					e.Load.MaxRate = c.maxRate
				}
				couldNot := 0
				for id, got := range judged(t, e) {
					want, _, _ := strings.Cut(direct[id], ":")
					verdict, why, _ := strings.Cut(got, ":")
					switch {
					case verdict == want:
					case !paced && verdict != "fail" && verdict != "warn":
						couldNot++
					case id == "ERR-12": // which tells what a limiter answers
					default:
						t.Errorf("%s is %s:%s (direct: %s)", id, verdict, why, direct[id])
					}
				}
				t.Logf("%d could not be told", couldNot)
				if c.program == Nginx {
					assert.Equal(t, !paced, strings.Contains(g.Output(), "limiting requests"), "the limit was met, but at a pace that keeps it")
				}
				assert.False(t, paced && couldNot > 0)
				assert.LessOrEqual(t, couldNot, 30, "requests that pace themselves by the limit leave little in the dark")
			})
		}
	}
}
