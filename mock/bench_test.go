package mock

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"
)

// discard is a ResponseWriter that keeps the status alone.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

func benchmarkCall(b *testing.B, path string, status int, body func(c client, i int) string, header ...string) {
	c := newClient(b, Config{Clock: time.Now})
	bodies := make([]string, 1000)
	for i := range bodies {
		bodies[i] = body(c, i+1)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i+1] == "refresh" {
			header[i+1] = "Bearer " + c.signedOn("1663", nth("PUB_989")).body["refresh_token"].(string)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		r := httptest.NewRequest("POST", path, strings.NewReader(bodies[i%len(bodies)]))
		r.Header["Nv-Tenant-Id"], r.Header["X-Auth-Service-Id"], r.Header["Content-Type"] = []string{"nagra"}, []string{"Operator SSO"}, []string{"application/json"}
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := &discard{header: http.Header{}}
		c.mock.ServeHTTP(w, r)
		if w.status != status {
			b.Fatalf("status %d", w.status)
		}
	}
}

func populationBody(c client, i int) string {
	return "{" + parameters("sessionToken", fmt.Sprintf("%s-%d", c.mock.secret.population, i)) + "," + nth(fmt.Sprintf("LOAD_%d", i)) + "}"
}

func BenchmarkSignOnWithSessionToken(b *testing.B) {
	benchmarkCall(b, "/ags/signOnWithSessionToken", 201, populationBody)
}

func BenchmarkRefresh(b *testing.B) {
	benchmarkCall(b, "/ags/refresh", 200, func(client, int) string { return `{"parameters":[]}` }, "Authorization", "refresh")
}

func BenchmarkGetSessionToken(b *testing.B) {
	benchmarkCall(b, "/ags/getSessionToken", 200, func(c client, _ int) string { return "{" + parameters("OperatorAuthToken", c.operatorToken(nil)) + "}" })
}

// BenchmarkOverLoopback measures sign-ons over real connections. The client shares the machine, so it is a lower bound
// for the server.
func BenchmarkOverLoopback(b *testing.B) {
	c := newClient(b, Config{Clock: time.Now})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	server := &http.Server{Handler: c.mock}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	b.Cleanup(func() {
		_ = server.Close()
		<-served
	})
	over := &fasthttp.Client{MaxConnsPerHost: 64}
	var n atomic.Int64
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		var q fasthttp.Request
		var a fasthttp.Response
		for p.Next() {
			i := int(n.Add(1))
			q.SetRequestURI("http://" + listener.Addr().String() + "/ags/signOnWithSessionToken")
			q.Header.SetMethod("POST")
			q.Header.Set("nv-tenant-id", "nagra")
			q.Header.Set("x-auth-service-id", "Operator SSO")
			q.Header.SetContentType("application/json")
			q.SetBodyString(populationBody(c, i%1_000_000+1))
			if err := over.Do(&q, &a); err != nil || a.StatusCode() != 201 {
				b.Errorf("%v, status %d", err, a.StatusCode())
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sign-ons/s")
}
