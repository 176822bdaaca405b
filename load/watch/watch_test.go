package watch

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"agstest/load/engine"
	"agstest/reports"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sample is how a load may stand in its second second.
func sample(second int) Standing {
	n := int64(second)
	return Standing{Elapsed: time.Duration(second) * time.Second, Left: time.Duration(60-second) * time.Second, Sides: []Side{{At: engine.Progress{
		Asked: 100 * n, Sent: 99 * n, Right: 97 * n, Wrong: 2 * n, AskedRate: 100, Rate: 99, RightRate: 97, P50: 2e6, P95: 5e6, P99: 9e6, Lag99: 120e3, InFlight: 3,
		Operations: []engine.Operation{
			{Name: "signon", Asked: 10 * n, Sent: 10 * n, Right: 10 * n, AskedRate: 10, Rate: 10, RightRate: 10, P50: 4e6, P95: 8e6, P99: 9e6},
			{Name: "refresh", Asked: 90 * n, Sent: 89 * n, Right: 87 * n, Wrong: 2 * n, AskedRate: 90, Rate: 89, RightRate: 87, P50: 2e6, P95: 4e6, P99: 6e6, Kinds: map[string]int64{"timeout": 2 * n}},
			{Name: "discover", Sent: 1, Wrong: 1, Kinds: map[string]int64{"status": 1}},
		},
		Limits: []reports.Limit{{Expression: "refresh.p99<300ms", Value: "6.00 ms", Verdict: reports.Pass}, {Expression: "errors<0.1%", Value: "2.00 %", Verdict: reports.Fail}},
		News:   []reports.Wrong{{Operation: "refresh", Kind: "timeout", Message: fmt.Sprintf("no answer <b>s3cret</b> %d", second)}},
	}}}}
}

// serve serves a page on a port of its own.
func serve(t *testing.T, o Options) (*Page, *Server, string) {
	t.Helper()
	page := New(o)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := Serve(page, listener)
	t.Cleanup(server.Close)
	return page, server, "http://" + listener.Addr().String()
}

func get(t *testing.T, address string) (status int, body string, header http.Header) {
	t.Helper()
	answer, err := http.Get(address)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return answer.StatusCode, string(text), answer.Header
}

func TestPageShowsTheRun(t *testing.T) {
	page, _, address := serve(t, Options{
		Kind: "Load", Title: "Load on staging", Facts: []reports.Fact{{Name: "Service", Value: "https://ags.example", Code: true}},
		Conceal: func(text string) string { return strings.ReplaceAll(text, "s3cret", "«secret»") },
	})
	page.Phase("signing clients on: 147 of 700, s3cret")
	_, body, header := get(t, address+"/")
	assert.Contains(t, body, "signing clients on: 147 of 700, «secret»")
	assert.Contains(t, body, "<title>Load on staging</title>")
	assert.Contains(t, header.Get("Content-Security-Policy"), "default-src 'none'")
	assert.Equal(t, "no-store", header.Get("Cache-Control"))
	page.Tell(sample(2))
	page.Note("trying 200/s for 15s")
	_, body, _ = get(t, address+"/")
	for _, said := range []string{
		"<title>00:58 left: Load on staging</title>", "<dd>100/s <small>200 so far</small>", "<dd>99/s <small>198 so far</small>", "<dd>97/s <small>194 so far</small>",
		"<dd>4 <small>2.02 %</small>", "<dd>2.00 ms <small>response time", "<dd>9.00 ms <small>response time", "<dd>0.12 ms <small>p99, 3 under way",
		`<code>errors&lt;0.1%</code></th><td class="number">2.00 %</td>`, "not kept so far", "kept so far", "timeout 4", "no answer &lt;b&gt;«secret»&lt;/b&gt; 2", "trying 200/s for 15s",
		`<noscript><meta http-equiv="refresh" content="5;url=/?plain"></noscript>`, `<td class="number">–</td>`,
	} {
		assert.Contains(t, body, said)
	}
	assert.NotContains(t, body, "s3cret")
	assert.NotContains(t, body, `action="/stop"`, "there is no button that nobody asked for")
	page.Over(Verdict{Verdict: reports.Fail, Reason: "not kept: errors<0.1%", Report: "out/run/load.html", Limits: []reports.Limit{{Expression: "errors<0.1%", Value: "2.00 %", Verdict: reports.Fail}}})
	page.Tell(sample(9))
	_, body, _ = get(t, address+"/")
	assert.Contains(t, body, "<title>fail: Load on staging</title>")
	assert.Contains(t, body, "Not kept: errors&lt;0.1%. Report: <code>out/run/load.html</code>")
	assert.Contains(t, body, "<small>200 so far</small>", "nothing moves after the verdict")
	assert.NotContains(t, body, "http-equiv", "and nobody asks again")
	assert.NotContains(t, body, "so far</span>", "the limits are as they were judged")
}

// TestEventsFollowTheRun: each telling is an event, and the verdict is the last one.
func TestEventsFollowTheRun(t *testing.T) {
	page, server, address := serve(t, Options{Kind: "Load", Title: "Load on staging"})
	answer, err := http.Get(address + "/events")
	require.NoError(t, err)
	defer answer.Body.Close()
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	assert.Equal(t, "text/event-stream", answer.Header.Get("Content-Type"))
	events := bufio.NewReader(answer.Body)
	next := func() (kind, data string) {
		for {
			line, err := events.ReadString('\n')
			require.NoError(t, err)
			switch name, value, _ := strings.Cut(strings.TrimSpace(line), ": "); name {
			case "event":
				kind = value
			case "data":
				data += value + "\n"
			case "":
				return kind, data
			}
		}
	}
	kind, _ := next()
	assert.Equal(t, "message", kind)
	page.Tell(sample(3))
	kind, data := next()
	assert.Equal(t, "message", kind)
	assert.Contains(t, data, "300 so far")
	page.Over(Verdict{Verdict: reports.Pass, Reason: "all limits were kept"})
	kind, data = next()
	assert.Equal(t, "over", kind)
	assert.Contains(t, data, "All limits were kept.")
	_, err = events.ReadByte()
	assert.Equal(t, io.EOF, err, "the stream ends with the verdict")
	server.Close()
}

// TestNoTextEndsALineOfAnEvent: what a service says can neither begin an event of its own nor end the run on the page.
func TestNoTextEndsALineOfAnEvent(t *testing.T) {
	page := New(Options{Title: "x"})
	hostile := "a\r\revent: over\rdata: <h2>b</h2>\n\nevent: over\u2028id: 7\r\n\r\n"
	page.Phase(hostile)
	page.Note(hostile)
	at := sample(1)
	at.Lead = hostile
	at.Sides[0].At.News[0].Message = hostile
	at.Sides[0].At.Operations[0].Name = hostile
	at.Sides[0].At.Operations[0].Kinds = map[string]int64{hostile: 1}
	for _, tell := range []func(){func() {}, func() { page.Tell(at) }} {
		tell()
		event, _, over, err := page.event()
		require.NoError(t, err)
		assert.False(t, over)
		body, ended := strings.CutSuffix(string(event), "\n\n")
		require.True(t, ended)
		for i, line := range regexp.MustCompile("\r\n|\r|\n").Split(body, -1) { // as the specification splits it
			prefix := []string{"event: message", "id: "}
			if i < len(prefix) {
				assert.True(t, strings.HasPrefix(line, prefix[i]), line)
			} else {
				assert.True(t, strings.HasPrefix(line, "data: "), line)
			}
		}
		assert.NotContains(t, string(event), "<h2>b</h2>")
	}
}

// TestCloseEndsEveryViewer: those who look on when the process ends see what was told last, and no goroutine stays.
func TestCloseEndsEveryViewer(t *testing.T) {
	page, server, address := serve(t, Options{Title: "x"})
	page.Tell(sample(1))
	answer, err := http.Get(address + "/events")
	require.NoError(t, err)
	defer answer.Body.Close()
	server.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	assert.Contains(t, string(text), "100 so far")
	http.DefaultClient.CloseIdleConnections()
}

// TestPageWithoutAScriptIsWaitedFor: it asks once more, and sees the verdict.
func TestPageWithoutAScriptIsWaitedFor(t *testing.T) {
	page, server, address := serve(t, Options{Title: "x"})
	_, _, _ = get(t, address+"/?plain")
	page.Over(Verdict{Verdict: reports.Pass, Reason: "kept"})
	closed := make(chan struct{})
	go func() { defer close(closed); server.Close() }()
	_, body, _ := get(t, address+"/?plain")
	assert.Contains(t, body, "Kept.")
	<-closed
}

// TestOnlyThisHostIsAnswered: a site that points a name of its own at this address learns nothing (DNS rebinding).
func TestOnlyThisHostIsAnswered(t *testing.T) {
	page := New(Options{Title: "x", Hosts: []string{"build-7", ""}, Token: "sixteen-letters-", Stop: func() { t.Error("stopped") }})
	handler := (&Server{page: page, seen: make(chan struct{}, 1), over: context.Background()}).Handler()
	for host, want := range map[string]int{
		"127.0.0.1:80": 200, "[::1]:80": 200, "localhost:9": 200, "LOCALHOST": 200, "10.1.2.3:80": 200, "build-7:80": 200, "BUILD-7": 200,
		"evil.example:80": 421, "evil.example": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421, "": 421, "build-7.evil.example": 421,
	} {
		for _, path := range []string{"/", "/nothing"} {
			request := httptest.NewRequest("GET", path, nil)
			request.Host = host
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, request)
			if path != "/" && want == 200 {
				want = 404
			}
			assert.Equal(t, want, answer.Code, "%s of %s", path, host)
			if want == 404 {
				want = 200
			}
		}
	}
}

// TestStop: who knows the token stops the run once; nobody else does, from no site, by no other method and by no
// address.
func TestStop(t *testing.T) {
	var stopped atomic.Int64
	page, _, address := serve(t, Options{Title: "x", Token: "the-token-of-this-run", Stop: func() { stopped.Add(1) }})
	host := strings.TrimPrefix(address, "http://")
	post := func(method, path, token string, header ...string) int {
		request, err := http.NewRequest(method, address+path, strings.NewReader(url.Values{"token": {token}, "script": {"1"}}.Encode()))
		require.NoError(t, err)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for i := 0; i+1 < len(header); i += 2 {
			if header[i] == "Host" {
				request.Host = header[i+1]
			}
			request.Header.Set(header[i], header[i+1])
		}
		answer, err := http.DefaultTransport.RoundTrip(request)
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		return answer.StatusCode
	}
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	right := page.options.Token
	assert.Equal(t, 403, post("POST", "/stop", "wrong"))
	assert.Equal(t, 403, post("POST", "/stop", ""))
	assert.Equal(t, 403, post("POST", "/stop", right+"x"))
	assert.Equal(t, 403, post("POST", "/stop?token="+right, ""), "a token of the address counts for nothing")
	assert.Equal(t, 405, post("GET", "/stop?token="+right, right))
	assert.Equal(t, 405, post("PUT", "/stop", right))
	assert.Equal(t, 403, post("POST", "/stop", right, "Origin", "http://evil.example"))
	assert.Equal(t, 403, post("POST", "/stop", right, "Origin", "null"))
	assert.Equal(t, 403, post("POST", "/stop", right, "Origin", "https://"+host))
	assert.Equal(t, 403, post("POST", "/stop", right, "Sec-Fetch-Site", "cross-site"))
	assert.Equal(t, 421, post("POST", "/stop", right, "Host", "evil.example"))
	assert.Equal(t, 400, post("POST", "/stop", strings.Repeat("x", maxForm)))
	assert.Zero(t, stopped.Load())
	assert.Equal(t, 204, post("POST", "/stop", right, "Origin", address, "Sec-Fetch-Site", "same-origin"))
	assert.Equal(t, 204, post("POST", "/stop", right))
	assert.EqualValues(t, 1, stopped.Load())
	_, body, _ := get(t, address+"/")
	assert.Contains(t, body, "<span>Stopping</span>")

	_, _, without := serve(t, Options{Title: "x"})
	answer, err := http.PostForm(without+"/stop", url.Values{"token": {""}})
	require.NoError(t, err)
	answer.Body.Close()
	assert.Equal(t, 404, answer.StatusCode)
}

// TestHistoryIsBounded: a day leaves no more points than an hour, and none of its peaks is lost.
func TestHistoryIsBounded(t *testing.T) {
	now := time.Unix(0, 0)
	page := New(Options{Title: "x", Now: func() time.Time { return now }})
	for second := range 24 * 60 * 60 {
		now = now.Add(time.Second)
		at := sample(second + 1)
		if second == 5000 {
			at.Sides[0].At.P99 = 77e9
		}
		page.Tell(at)
	}
	assert.LessOrEqual(t, len(page.history), maxPoints)
	assert.GreaterOrEqual(t, len(page.history), maxPoints/2-1)
	most := int64(0)
	for _, m := range page.history {
		most = max(most, m.times[0].p99)
		assert.InDelta(t, 100, m.asked, 1e-6)
	}
	assert.EqualValues(t, 77e9, most)
	assert.Len(t, page.news, maxNews)
}

// BenchmarkPage tells a page how a load of ten minutes stands while one looks on, as it is done once a second: the time
// is that of a second.
func BenchmarkPage(b *testing.B) {
	now := time.Unix(0, 0)
	page := New(Options{Title: "Load on staging", Now: func() time.Time { return now }})
	for n := 0; b.Loop(); n++ {
		now = now.Add(time.Second)
		page.Tell(sample(n % 600))
		_, _, _, err := page.event()
		require.NoError(b, err)
	}
}
