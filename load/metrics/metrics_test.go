package metrics

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	service "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"agstest/internal/ports"
	"agstest/load/engine"
	"agstest/load/tally"
	"agstest/reports"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// packed are the times of a second, in milliseconds.
func packed(milliseconds ...float64) tally.Packed {
	var h tally.Histogram
	for _, ms := range milliseconds {
		h.Add(time.Duration(ms * 1e6))
	}
	var p tally.Packer
	return p.Pack(&h)
}

// told is how a load stands after some seconds of five answers each, one of them wrong.
func told(second int) engine.Progress {
	n := int64(second)
	return engine.Progress{
		Elapsed: time.Duration(second) * time.Second, Left: time.Duration(60-second) * time.Second, Asked: 6 * n, Sent: 5 * n, Right: 4 * n, Wrong: n, Lag99: 2e6, InFlight: 3,
		Operations: []engine.Operation{{
			Name: "refresh", Asked: 5 * n, Sent: 5 * n, Right: 4 * n, Wrong: n, P50: 3e6, P95: 40e6, P99: 40e6, Kinds: map[string]int64{"timeout": n},
			Response: packed(1, 3, 3, 40), Service: packed(1, 2, 2, 39),
		}},
		Limits: []reports.Limit{{Expression: "errors<5%", Verdict: reports.Fail}, {Expression: "p99<300ms", Verdict: reports.Pass}, {Expression: "storm.recovered<9s", Verdict: reports.Inconclusive}},
	}
}

func sums(t *testing.T, seconds int) (*Sums, func(engine.Progress)) {
	t.Helper()
	s := NewSums("refresh", time.Unix(1700000000, 0))
	tell := s.Side("", "staging")
	for second := range seconds {
		tell(told(second + 1))
	}
	return s, tell
}

func gathered(t *testing.T, s *Sums) map[string]*dto.MetricFamily {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(collector{s})
	families, err := registry.Gather()
	require.NoError(t, err)
	byName := map[string]*dto.MetricFamily{}
	for _, f := range families {
		byName[f.GetName()] = f
	}
	return byName
}

func TestPrometheusHasTheFigures(t *testing.T) {
	t.Parallel()
	s, tell := sums(t, 2)
	expected := `
# HELP agstest_requests_due_total Requests that the schedule asked for, of all operations together.
# TYPE agstest_requests_due_total counter
agstest_requests_due_total{environment="staging",workload="refresh"} 12
# HELP agstest_requests_sent_total Requests that were sent.
# TYPE agstest_requests_sent_total counter
agstest_requests_sent_total{environment="staging",operation="refresh",workload="refresh"} 10
# HELP agstest_requests_right_total Requests with the wanted status and a right answer.
# TYPE agstest_requests_right_total counter
agstest_requests_right_total{environment="staging",operation="refresh",workload="refresh"} 8
# HELP agstest_requests_wrong_total Requests with any other answer, or none.
# TYPE agstest_requests_wrong_total counter
agstest_requests_wrong_total{environment="staging",kind="timeout",operation="refresh",workload="refresh"} 2
# HELP agstest_response_seconds Response time of right answers, from when the request was due, of the last ten seconds.
# TYPE agstest_response_seconds summary
agstest_response_seconds{environment="staging",operation="refresh",workload="refresh",quantile="0.5"} 0.003
agstest_response_seconds{environment="staging",operation="refresh",workload="refresh",quantile="0.95"} 0.04
agstest_response_seconds{environment="staging",operation="refresh",workload="refresh",quantile="0.99"} 0.04
agstest_response_seconds_sum{environment="staging",operation="refresh",workload="refresh"} 0.094
agstest_response_seconds_count{environment="staging",operation="refresh",workload="refresh"} 8
# HELP agstest_send_lag_seconds By how much 99 % of requests left late at most, in the last ten seconds.
# TYPE agstest_send_lag_seconds gauge
agstest_send_lag_seconds{environment="staging",workload="refresh"} 0.002
# HELP agstest_limit_kept 1 for a limit that is kept so far, 0 for one that is not; left out where nothing can be said yet.
# TYPE agstest_limit_kept gauge
agstest_limit_kept{environment="staging",limit="errors<5%",workload="refresh"} 0
agstest_limit_kept{environment="staging",limit="p99<300ms",workload="refresh"} 1
`
	var names []string
	for line := range strings.Lines(expected) {
		if name, found := strings.CutPrefix(line, "# TYPE "); found {
			names = append(names, strings.Fields(name)[0])
		}
	}
	require.NoError(t, testutil.CollectAndCompare(collector{s}, strings.NewReader(expected), names...))
	problems, err := testutil.CollectAndLint(collector{s})
	require.NoError(t, err)
	assert.Empty(t, problems)

	for name, want := range map[string][]uint64{ // at most 1, 2.5, 5, 10, 25 and 50 ms
		"agstest_response_time_seconds": {2, 2, 6, 6, 6, 8}, "agstest_service_time_seconds": {2, 6, 6, 6, 6, 8},
	} {
		h := gathered(t, s)[name].GetMetric()[0].GetHistogram()
		var buckets []uint64
		for _, b := range h.GetBucket()[:6] {
			buckets = append(buckets, b.GetCumulativeCount())
		}
		assert.Equal(t, want, buckets, name)
		assert.EqualValues(t, 8, h.GetSampleCount(), name)
		assert.EqualValues(t, scale, h.GetSchema(), "the native form stands beside the classic one: %s", name)
		assert.NotEmpty(t, h.GetPositiveSpan(), name)
	}

	next := told(3) // the next point of a search begins again, also where it has gone on for as long as the one before
	next.Began = time.Unix(1700000100, 0)
	tell(next)
	assert.EqualValues(t, 25, gathered(t, s)["agstest_requests_sent_total"].GetMetric()[0].GetCounter().GetValue(), "counters never go back")
	assert.EqualValues(t, 5, gathered(t, s)["agstest_requests_wrong_total"].GetMetric()[0].GetCounter().GetValue())
}

// TestSidesAreToldApart: both sides of a comparison, of one environment too, are series of their own.
func TestSidesAreToldApart(t *testing.T) {
	t.Parallel()
	s := NewSums("refresh", time.Unix(1700000000, 0))
	for i, name := range []string{"old", "new"} {
		s.Side(name, "staging")(told(1 + i))
	}
	sent := gathered(t, s)["agstest_requests_sent_total"].GetMetric()
	require.Len(t, sent, 2)
	values := map[string]float64{}
	for _, m := range sent {
		for _, l := range m.GetLabel() {
			if l.GetName() == "side" {
				values[l.GetValue()] = m.GetCounter().GetValue()
			}
		}
	}
	assert.Equal(t, map[string]float64{"old": 5, "new": 10}, values)
}

// TestSparseBucketsHoldTheirTimes: each time lies within the bounds of its bucket, in Prometheus' numbering and in
// OTLP's, whose index is one less and whose upper bounds are the same.
func TestSparseBucketsHoldTheirTimes(t *testing.T) {
	t.Parallel()
	for _, seconds := range []float64{1e-9, 1e-6, 0.00097, 0.001, 0.1, 0.5, 0.999999, 1, 1.000001, 2, 59, 600} {
		var one times
		one.add(int64(math.Round(seconds*1e9)), 1)
		require.Len(t, one.sparse, 1)
		for index := range one.sparse {
			upper, lower := math.Pow(2, float64(index)/8), math.Pow(2, float64(index-1)/8)
			assert.True(t, lower < seconds*(1+1e-9) && seconds*(1-1e-9) <= upper, "%v s in (%v, %v]", seconds, lower, upper)
			assert.EqualValues(t, index-1, one.exponential().GetOffset())
		}
	}
}

func TestHandlerSpeaksAllForms(t *testing.T) {
	t.Parallel()
	s, _ := sums(t, 1)
	for accept, want := range map[string]string{
		"": "text/plain", "application/openmetrics-text;version=1.0.0": "application/openmetrics-text",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited": "application/vnd.google.protobuf",
	} {
		request := httptest.NewRequest("GET", "/metrics", nil)
		request.Header.Set("Accept", accept)
		answer := httptest.NewRecorder()
		s.Handler().ServeHTTP(answer, request)
		assert.Equal(t, 200, answer.Code)
		assert.True(t, strings.HasPrefix(answer.Header().Get("Content-Type"), want), answer.Header().Get("Content-Type"))
	}
}

// TestPromtool lets Prometheus' own checker read what is served.
func TestPromtool(t *testing.T) {
	t.Parallel()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("skipped: no promtool on this machine (Debian: apt-get install prometheus)")
	}
	s, _ := sums(t, 3)
	answer := httptest.NewRecorder()
	s.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	check := exec.Command(promtool, "check", "metrics")
	check.Stdin = answer.Body
	out, err := check.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Empty(t, string(out))
}

func serveMetrics(t *testing.T, s *Sums) (*Server, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := Serve(s, listener)
	t.Cleanup(server.Close)
	return server, "http://" + listener.Addr().String()
}

// TestLastScrapeIsWaitedFor: who scrapes again and again has the final figures; who never did is not waited for.
func TestLastScrapeIsWaitedFor(t *testing.T) {
	s, tell := sums(t, 1)
	server, address := serveMetrics(t, s)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	scrape := func() string {
		answer, err := http.Get(address + "/metrics")
		require.NoError(t, err)
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return string(text)
	}
	assert.Zero(t, server.Final(), "nobody scrapes")
	scrape()
	assert.Zero(t, server.Final(), "one look is nobody who comes again")
	other, there := serveMetrics(t, s)
	address = there
	scrape()
	other.mutex.Lock()
	other.last = other.last.Add(-time.Hour) // an hour passes
	other.mutex.Unlock()
	scrape()
	tell(told(2))
	assert.Equal(t, maxWait, other.Final())
	done := make(chan struct{})
	go func() { defer close(done); other.WaitForScrape(context.Background(), time.Hour) }()
	assert.Contains(t, scrape(), `agstest_requests_sent_total{environment="staging",operation="refresh",workload="refresh"} 10`)
	<-done
	other.WaitForScrape(context.Background(), time.Hour) // it has been
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	server.WaitForScrape(ended, time.Hour) // nobody who pressed Ctrl-C waits
	request, err := http.NewRequest("GET", address+"/metrics", nil)
	require.NoError(t, err)
	request.Host = "evil.example"
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	answer.Body.Close()
	assert.Equal(t, http.StatusMisdirectedRequest, answer.StatusCode)
}

// receiver is a collector that keeps what it gets and answers as it is told.
type receiver struct {
	*httptest.Server
	mutex    sync.Mutex
	got      []*service.ExportMetricsServiceRequest
	header   http.Header
	statuses []int // of the next answers; then 200
}

func newReceiver(t *testing.T, statuses ...int) *receiver {
	r := &receiver{statuses: statuses}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		r.mutex.Lock()
		defer r.mutex.Unlock()
		r.header = in.Header.Clone()
		if len(r.statuses) > 0 {
			status := r.statuses[0]
			r.statuses = r.statuses[1:]
			if status == http.StatusTemporaryRedirect {
				w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
			}
			w.WriteHeader(status)
			return
		}
		unzipped, err := gzip.NewReader(in.Body)
		if !assert.NoError(t, err) {
			return
		}
		body, err := io.ReadAll(unzipped)
		assert.NoError(t, err)
		var got service.ExportMetricsServiceRequest
		assert.NoError(t, proto.Unmarshal(body, &got))
		assert.Equal(t, "/v1/metrics", in.URL.Path)
		r.got = append(r.got, &got)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) metric(t *testing.T, export int, name string) *otlp.Metric {
	t.Helper()
	r.mutex.Lock()
	defer r.mutex.Unlock()
	require.Greater(t, len(r.got), export)
	all := r.got[export].GetResourceMetrics()[0].GetScopeMetrics()[0].GetMetrics()
	at := slices.IndexFunc(all, func(m *otlp.Metric) bool { return m.GetName() == name })
	require.GreaterOrEqual(t, at, 0, name)
	return all[at]
}

func labelsOf(attributes []*common.KeyValue) map[string]string {
	labels := map[string]string{}
	for _, a := range attributes {
		labels[a.GetKey()] = a.GetValue().GetStringValue()
	}
	return labels
}

func destination(t *testing.T, address string, temporality Temporality) Destination {
	t.Helper()
	endpoint, err := Endpoint(address)
	require.NoError(t, err)
	return Destination{URL: endpoint, Every: time.Hour, Temporality: temporality, Header: http.Header{"Api-Key": {"s3cret"}}, Resource: Resource{"1.0", "run-1"}, Now: func() time.Time { return time.Unix(1700000060, 0) }}
}

func TestOTLPHasTheFigures(t *testing.T) {
	t.Parallel()
	s, _ := sums(t, 2)
	r := newReceiver(t)
	require.NoError(t, Send(s, destination(t, r.URL, Cumulative)).Close())
	assert.Equal(t, "s3cret", r.header.Get("Api-Key"))
	assert.Equal(t, "application/x-protobuf", r.header.Get("Content-Type"))
	sent := r.metric(t, 0, "agstest.requests.sent").GetSum()
	assert.True(t, sent.GetIsMonotonic())
	assert.Equal(t, otlp.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE, sent.GetAggregationTemporality())
	assert.EqualValues(t, 10, sent.GetDataPoints()[0].GetAsInt())
	assert.EqualValues(t, 1700000000e9, sent.GetDataPoints()[0].GetStartTimeUnixNano())
	assert.EqualValues(t, 1700000060e9, sent.GetDataPoints()[0].GetTimeUnixNano())
	assert.Equal(t, map[string]string{"environment": "staging", "workload": "refresh", "operation": "refresh"}, labelsOf(sent.GetDataPoints()[0].GetAttributes()))
	wrong := r.metric(t, 0, "agstest.requests.wrong").GetSum().GetDataPoints()[0]
	assert.EqualValues(t, 2, wrong.GetAsInt())
	assert.Equal(t, "timeout", labelsOf(wrong.GetAttributes())["kind"])
	h := r.metric(t, 0, "agstest.response_time").GetExponentialHistogram().GetDataPoints()[0]
	assert.EqualValues(t, 8, h.GetCount())
	assert.InDelta(t, 0.094, h.GetSum(), 1e-9)
	assert.EqualValues(t, scale, h.GetScale())
	total := uint64(0)
	for _, n := range h.GetPositive().GetBucketCounts() {
		total += n
	}
	assert.EqualValues(t, 8, total)
	who := labelsOf(r.got[0].GetResourceMetrics()[0].GetResource().GetAttributes())
	assert.Equal(t, map[string]string{"service.name": "agstest", "service.version": "1.0", "service.instance.id": "run-1"}, who)
}

// TestOTLPGaugesHaveNoUnitOne: Prometheus and collectors add _ratio to the name of such a gauge.
func TestOTLPGaugesHaveNoUnitOne(t *testing.T) {
	t.Parallel()
	s, _ := sums(t, 2)
	r := newReceiver(t)
	require.NoError(t, Send(s, destination(t, r.URL, Cumulative)).Close())
	assert.Equal(t, "{limit}", r.metric(t, 0, "agstest.limit.kept").GetUnit())
	for _, m := range r.got[0].GetResourceMetrics()[0].GetScopeMetrics()[0].GetMetrics() {
		assert.NotEqual(t, "1", m.GetUnit(), m.GetName())
	}
}

// TestNothingIsSentOfALoadThatNeverBegan: what there is no figure of is no zero.
func TestNothingIsSentOfALoadThatNeverBegan(t *testing.T) {
	t.Parallel()
	s, _ := sums(t, 0)
	r := newReceiver(t)
	require.NoError(t, Send(s, destination(t, r.URL, Cumulative)).Close())
	assert.Empty(t, r.got)
}

// TestDeltaCountsFromTheExportBefore, and from the last that arrived where one was lost.
func TestDeltaCountsFromTheExportBefore(t *testing.T) {
	t.Parallel()
	s, tell := sums(t, 1)
	r := newReceiver(t)
	sender := Send(s, destination(t, r.URL, Delta))
	_, err := sender.export(t.Context())
	require.NoError(t, err)
	tell(told(2))
	r.statuses = []int{503}
	again, err := sender.export(t.Context())
	require.ErrorContains(t, err, "it answered 503")
	assert.GreaterOrEqual(t, again, time.Duration(0))
	tell(told(3))
	require.NoError(t, sender.Close())
	for export, want := range []int64{5, 10} {
		assert.EqualValues(t, want, r.metric(t, export, "agstest.requests.sent").GetSum().GetDataPoints()[0].GetAsInt())
		h := r.metric(t, export, "agstest.response_time").GetExponentialHistogram().GetDataPoints()[0]
		assert.EqualValues(t, want*4/5, h.GetCount())
		total := uint64(0)
		for _, n := range h.GetPositive().GetBucketCounts() {
			total += n
		}
		assert.EqualValues(t, h.GetCount(), total)
	}
	assert.EqualValues(t, 12, r.metric(t, 1, "agstest.requests.due").GetSum().GetDataPoints()[0].GetAsInt())
}

// TestCollectorThatFailsIsToldOnce: what it answers does not matter to the run, and no header is repeated.
func TestCollectorThatFailsIsToldOnce(t *testing.T) {
	t.Parallel()
	s, _ := sums(t, 1)
	for _, c := range []struct {
		statuses []int
		says     string
	}{
		{[]int{429}, ""}, // the next try arrives
		{[]int{401}, "it answered 401 Unauthorized"},
		{[]int{400}, "it answered 400 Bad Request"},
		{[]int{307}, "it answered 307 Temporary Redirect"}, // whoever it leads to gets no key
	} {
		r := newReceiver(t, c.statuses...)
		err := Send(s, destination(t, r.URL, Cumulative)).Close()
		if c.says == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, c.says)
		require.ErrorContains(t, err, "the final metrics did not reach "+r.URL+"/v1/metrics: ")
		assert.NotContains(t, err.Error(), "s3cret")
	}
	began := time.Now()
	err := Send(s, destination(t, "http://"+ports.Closed(t), Cumulative)).Close()
	require.ErrorContains(t, err, "connection refused")
	assert.Less(t, time.Since(began), lastWithin)
}

func TestEndpoint(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"http://127.0.0.1:4318": "http://127.0.0.1:4318/v1/metrics", "https://otlp.nr-data.net/": "https://otlp.nr-data.net/v1/metrics",
		"https://otlp-gateway-prod-eu-west-0.grafana.net/otlp": "https://otlp-gateway-prod-eu-west-0.grafana.net/otlp/v1/metrics",
		"https://otlp.example.com/v1/metrics":                  "https://otlp.example.com/v1/metrics",
	} {
		got, err := Endpoint(given)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for given, says := range map[string]string{
		"127.0.0.1:4318": "must be a URL such as", "ftp://x": "must be a URL such as", "": "must be a URL such as", "http://": "must be a URL such as",
		"https://user:s3cret@otlp.example.com": "must hold no password", "https://otlp.example.com?key=s3cret": "neither a query nor a fragment", "https://x/#s3cret": "neither a query nor a fragment",
		"ftp://user:s3cret@x": "must be a URL such as",
	} {
		_, err := Endpoint(given)
		require.ErrorContains(t, err, says, given)
		assert.NotContains(t, err.Error(), "s3cret")
	}
}

// BenchmarkTell adds up a second of 10,000 hits of three operations, makes a scrape of them and an export: what a
// second with all of it costs.
func BenchmarkTell(b *testing.B) {
	var h tally.Histogram
	for n := range 3333 {
		h.Add(time.Duration(2e6 + 3e3*n))
	}
	var packer tally.Packer
	second := packer.Pack(&h)
	s := NewSums("mixed", time.Unix(0, 0))
	tell := s.Side("", "staging")
	for n := 0; b.Loop(); n++ {
		at := engine.Progress{Elapsed: time.Duration(n) * time.Second}
		for _, name := range []string{"signon", "refresh", "discover"} {
			at.Operations = append(at.Operations, engine.Operation{Name: name, Sent: int64(3333 * n), Right: int64(3333 * n), Response: second, Service: second})
		}
		tell(at)
		answer := httptest.NewRecorder()
		s.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
		e := export{began: s.began, now: s.began, workload: s.workload}
		body, err := proto.Marshal(e.request(Resource{}, s.standings()))
		require.NoError(b, err)
		var packed bytes.Buffer
		zip := gzip.NewWriter(&packed)
		_, _ = zip.Write(body)
		zip.Close()
	}
}

// A collector asks for a wait in seconds or as a date, which counts by its own clock.
func TestRetryAfterIsReadInBothForms(t *testing.T) {
	here := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		status      int
		asked, date string
		want        time.Duration
	}{
		"seconds":                   {503, "3", "", 3 * time.Second},
		"a date":                    {429, "Mon, 23 Nov 2026 10:00:04 GMT", "", 4 * time.Second},
		"a date by another clock":   {503, "Mon, 23 Nov 2026 12:00:04 GMT", "Mon, 23 Nov 2026 12:00:00 GMT", 4 * time.Second},
		"a date that is over":       {503, "Mon, 23 Nov 2026 09:00:00 GMT", "", 0},
		"longer than anybody waits": {503, "Mon, 23 Nov 2099 10:00:00 GMT", "", time.Hour},
		"nothing":                   {503, "", "", 0},
		"neither":                   {503, "soon", "", 0},
		"no sense in another try":   {400, "3", "", -1},
	} {
		answer := &http.Response{StatusCode: test.status, Header: http.Header{"Retry-After": {test.asked}, "Date": {test.date}}}
		assert.Equal(t, test.want, retryAfter(answer, here), name)
	}
}
