//go:build linux

package gateways

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/ports"
	"agstest/load"
	"agstest/load/clients"
	"agstest/load/schedule"
)

// habit is a line or two of an operator's file that changes what clients meet.
type habit struct {
	program Program
	name    string
	outer   string
	inner   string // UPSTREAM is the service, DEAD an address that refuses, PORT another one to listen on
	secure  bool   // over https
	dark    string // requirements that cannot be told then
	brief   bool   // tried without make gateways too
}

// twoNodes is a group of which one node is dead: nginx sends nobody to a node for 10 s that it takes to have failed, and
// answers 502 where that is so of all.
const twoNodes = "upstream two { server DEAD; server UPSTREAM; keepalive 4; }"

var habits = []habit{
	{program: Nginx, name: "one request on a connection", inner: "keepalive_requests 1;", secure: true},
	{program: Nginx, name: "ten requests on a connection", inner: "keepalive_requests 10;"},
	{program: Nginx, name: "no kept connections", inner: "keepalive_timeout 0;", secure: true},
	{program: Nginx, name: "lingers", inner: "keepalive_requests 3; lingering_close always;"},
	{program: Nginx, name: "does not linger", inner: "keepalive_requests 3; lingering_close off;", secure: true},
	{program: Nginx, name: "compresses all", inner: "gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any;"},
	{program: Nginx, name: "buffers nothing", inner: "proxy_buffering off; proxy_request_buffering off; proxy_http_version 1.1;"},
	{program: Nginx, name: "no session tickets, no session cache", inner: "ssl_session_tickets off; ssl_session_cache none;", secure: true},
	{program: Nginx, name: "asks for a certificate and takes none", inner: "ssl_verify_client optional_no_ca;", secure: true},
	{program: Nginx, name: "a cookie and a correlation id of its own", inner: `add_header Set-Cookie "node=a; Path=/; HttpOnly" always; add_header x-correlation-id $request_id always; add_header Vary Origin always;`},
	{program: Nginx, name: "one of two nodes is dead", outer: twoNodes, inner: "location /ags { proxy_pass http://two; }", brief: true},
	{program: Nginx, name: "sends POST again", outer: twoNodes, inner: "location /ags { proxy_pass http://two; proxy_next_upstream error timeout http_500 http_502 http_503 non_idempotent; }"},
	{program: Nginx, name: "bodies of 1 kB at most", inner: "client_max_body_size 1k;", dark: "GST-01 ERR-09"},
	{program: HAProxy, name: "closes each", inner: "option httpclose"},
	{program: HAProxy, name: "closes to the service", inner: "option http-server-close", secure: true},
	{program: HAProxy, name: "names in other case", outer: "h1-case-adjust content-type CONTENT-TYPE\n  h1-case-adjust x-correlation-id X-Correlation-ID\n  h1-case-adjust content-length CONTENT-length", inner: "option h1-case-adjust-bogus-client"},
	{program: HAProxy, name: "waits for the body", inner: "option http-buffer-request"},
	{program: HAProxy, name: "two nodes, one dead, a cookie", inner: "use_backend two if TRUE\nbackend two\n  balance roundrobin\n  option redispatch\n  retry-on all-retryable-errors\n  cookie SRV insert indirect nocache\n  server a DEAD cookie a\n  server b UPSTREAM cookie b\nfrontend unused\n  bind 127.0.0.1:PORT"},
	{program: Apache, name: "closes each", outer: "KeepAlive Off"},
	{program: Apache, name: "two requests on a connection", outer: "MaxKeepAliveRequests 2", secure: true},
	{program: Apache, name: "answers in HTTP/1.0", outer: "LoadModule env_module /usr/lib/apache2/modules/mod_env.so\nLoadModule setenvif_module /usr/lib/apache2/modules/mod_setenvif.so\nSetEnvIf Request_Method . downgrade-1.0 force-response-1.0 nokeepalive"},
	{program: Apache, name: "compresses all", outer: "LoadModule filter_module /usr/lib/apache2/modules/mod_filter.so\nLoadModule deflate_module /usr/lib/apache2/modules/mod_deflate.so\nSetOutputFilter DEFLATE"},
	{program: Apache, name: "asks for a certificate and takes none", inner: "SSLVerifyClient optional_no_ca", secure: true},
	{program: Caddy, name: "compresses all", inner: "encode zstd gzip {\n    minimum_length 1\n    match {\n      header Content-Type *\n    }\n  }", secure: true, dark: "SOST-17 ERR-01 ERR-02"},
	{program: Varnish, name: "streams, hashes by tenant", inner: "return (pipe);"},
}

// TestHabitsChangeNothing: behind each habit all verdicts are those of the service itself, but for what cannot be told,
// and no answer of a load is wrong.
func TestHabitsChangeNothing(t *testing.T) {
	t.Parallel()
	upstream, at := liveMock(t)
	direct := judged(t, at("http://"+upstream, ""))
	for _, h := range habits {
		t.Run(fmt.Sprintf("%s, %s", h.program, h.name), func(t *testing.T) {
			if !wide && !h.brief {
				t.Skip("make gateways")
			}
			t.Parallel()
			upstream, at := liveMock(t)
			fill := strings.NewReplacer("UPSTREAM", upstream, "DEAD", ports.Closed(t), "PORT", itoa(ports.Free(t)))
			g := Start(t, h.program, Config{Upstream: upstream, Outer: fill.Replace(h.outer), Inner: fill.Replace(h.inner)})
			address, ca := g.PlainAddress()
			if h.secure {
				address, ca = g.Address()
			}
			e := at(address, ca)
			through := judged(t, e)
			for id, want := range direct {
				wanted, _, _ := strings.Cut(want, ":")
				verdict, _, _ := strings.Cut(through[id], ":")
				switch {
				case verdict == wanted, id == "GW-04": // which is about https
				case strings.Contains(h.dark, id) && verdict == "error":
				case h.program == Apache && lostByApache(verdict, through[id]):
				default:
					t.Errorf("%s is %s (direct: %s)", id, through[id], want)
				}
			}
			sent, err := load.Run(t.Context(), load.Options{
				Environment: e, Traffic: clients.Traffic{Workload: clients.WorkloadRefresh, Clients: 20}, Rate: schedule.Rate{Hits: 100, Per: time.Second},
				Duration: 2 * time.Second, MaxLag: time.Minute, Timeout: patience,
			})
			require.NoError(t, err)
			assert.Zero(t, sent.Total.Wrong, "%v", sent.Wrong)
		})
	}
}
