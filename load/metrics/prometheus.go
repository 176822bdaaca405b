package metrics

import (
	"maps"
	"math"
	"net/http"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"agstest/reports"
)

// Handler answers Prometheus' scrapes: text, OpenMetrics or protobuf, which alone carries native histograms.
func (s *Sums) Handler() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector{s})
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true, MaxRequestsInFlight: 4})
}

// collector makes metrics of sums when they are asked for.
type collector struct{ *Sums }

// families are all metrics of a run. In a comparison each has the label side too.
type families struct {
	labels                                  []string
	due, asked, sent, right, wrong          *prometheus.Desc
	response, service                       *prometheus.Desc
	responseTime, serviceTime               *prometheus.Desc
	lag, inFlight, elapsed, left, limitKept *prometheus.Desc
}

func (c collector) families() *families {
	c.mutex.Lock()
	compared := len(c.sides) > 1
	c.mutex.Unlock()
	labels := []string{"environment", "workload"}
	if compared {
		labels = append(labels, "side")
	}
	family := func(name, help string, more ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, append(slices.Clone(labels), more...), nil)
	}
	return &families{
		labels: labels,
		due: family("agstest_requests_due_total",
			"Requests that the schedule asked for, of all operations together."),
		asked: family("agstest_requests_asked_total", "Requests of an operation that were asked for and begun.",
			"operation"),
		sent: family("agstest_requests_sent_total", "Requests that were sent.", "operation"),
		right: family("agstest_requests_right_total", "Requests with the wanted status and a right answer.",
			"operation"),
		wrong: family("agstest_requests_wrong_total", "Requests with any other answer, or none.", "operation",
			"kind"),
		response: family("agstest_response_seconds",
			"Response time of right answers, from when the request was due, of the last ten seconds.", "operation"),
		service: family("agstest_service_seconds",
			"Service time of right answers, from when the request was sent, of the last ten seconds; in a closed loop alone.",
			"operation"),
		responseTime: family("agstest_response_time_seconds",
			"Response time of right answers, from when the request was due.", "operation"),
		serviceTime: family("agstest_service_time_seconds",
			"Service time of right answers, from when the request was sent.", "operation"),
		lag: family("agstest_send_lag_seconds",
			"By how much 99 % of requests left late at most, in the last ten seconds."),
		inFlight: family("agstest_requests_in_flight", "Requests whose answer has not come yet."),
		elapsed:  family("agstest_run_elapsed_seconds", "Time since the clock of the load started."),
		left:     family("agstest_run_left_seconds", "Time until the load is over."),
		limitKept: family("agstest_limit_kept",
			"1 for a limit that is kept so far, 0 for one that is not; left out where nothing can be said yet.",
			"limit"),
	}
}

// Describe describes nothing beforehand: which labels there are is known when all sides are.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect makes all metrics.
func (c collector) Collect(to chan<- prometheus.Metric) {
	f := c.families()
	for _, s := range c.standings() {
		whose := []string{s.environment, c.workload}
		if len(f.labels) > len(whose) {
			whose = append(whose, s.side)
		}
		with := func(more ...string) []string { return append(slices.Clone(whose), more...) }
		counter := func(desc *prometheus.Desc, n int64, labels ...string) {
			to <- prometheus.MustNewConstMetricWithCreatedTimestamp(desc, prometheus.CounterValue, float64(n), c.began,
				with(labels...)...)
		}
		gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
			to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, with(labels...)...)
		}
		counter(f.due, s.due)
		gauge(f.lag, float64(s.at.Lag99)/1e9)
		gauge(f.inFlight, float64(s.at.InFlight))
		gauge(f.elapsed, s.at.Elapsed.Seconds())
		gauge(f.left, s.at.Left.Seconds())
		kept := s.kept()
		for _, expression := range slices.Sorted(maps.Keys(kept)) {
			value := 0.0
			if kept[expression] {
				value = 1
			}
			gauge(f.limitKept, value, expression)
		}
		for i := range s.operations {
			o := &s.operations[i]
			counter(f.asked, o.asked, o.name)
			counter(f.sent, o.sent, o.name)
			counter(f.right, o.right, o.name)
			for _, kind := range slices.Sorted(maps.Keys(o.wrong)) {
				counter(f.wrong, o.wrong[kind], o.name, kind)
			}
			recent, of := f.response, &o.response
			if o.closed {
				recent, of = f.service, &o.service
			}
			if o.p99 > 0 {
				sum := of.sum
				if of.count == 0 { // of several shards, whose times come home at the end
					sum = math.NaN()
				}
				to <- prometheus.MustNewConstSummary(recent, uint64(o.right), sum,
					map[float64]float64{0.5: o.p50, 0.95: o.p95, 0.99: o.p99}, with(o.name)...)
			}
			if o.response.count > 0 {
				to <- o.response.histogram(f.responseTime, c, with(o.name))
			}
			if o.service.count > 0 {
				to <- o.service.histogram(f.serviceTime, c, with(o.name))
			}
		}
	}
}

// twoHistograms is one histogram in both forms; a scraper takes the one that it knows.
type twoHistograms struct{ native, classic prometheus.Metric }

func (t *times) histogram(desc *prometheus.Desc, c collector, labels []string) prometheus.Metric {
	cumulative, sum := map[float64]uint64{}, int64(0)
	for i, bound := range reports.BucketBounds {
		sum += t.classic[i]
		cumulative[float64(bound)/1e9] = uint64(sum)
	}
	return twoHistograms{
		native: prometheus.MustNewConstNativeHistogram(desc, uint64(t.count), t.sum, t.sparse, nil, 0, scale, 1e-9,
			c.began, labels...),
		classic: prometheus.MustNewConstHistogramWithCreatedTimestamp(desc, uint64(t.count), t.sum, cumulative, c.began,
			labels...),
	}
}

func (h twoHistograms) Desc() *prometheus.Desc { return h.native.Desc() }

func (h twoHistograms) Write(out *dto.Metric) error {
	var classic dto.Metric
	if err := h.classic.Write(&classic); err != nil {
		return err
	}
	if err := h.native.Write(out); err != nil {
		return err
	}
	out.Histogram.Bucket = classic.Histogram.Bucket
	return nil
}
