package metrics

import (
	"maps"
	"slices"
	"time"

	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	resource "go.opentelemetry.io/proto/slim/otlp/resource/v1"

	service "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
)

// Temporality is the start from which counters and histograms of OTLP count.
type Temporality int

const (
	Cumulative Temporality = iota // since the start of the run: Prometheus, Mimir, Grafana Cloud
	Delta                         // since the export before: Datadog, and preferred by New Relic and Dynatrace
)

// Resource describes the process that sends.
type Resource struct {
	Version string // of agstest
	Run     string // id of the run
}

// export is one request of OTLP with all figures at an instant. Before are the standings of the export before, from
// which Delta counts.
type export struct {
	temporality   Temporality
	began, before time.Time // of the run, and of the export before
	now           time.Time
	workload      string
	previous      map[string]operationStanding // by side and operation; nil: none
	previousDue   map[string]int64
}

func text(value string) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}
}

func attribute(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: text(value)}
}

// request makes the request.
func (e *export) request(who Resource, all []standing) *service.ExportMetricsServiceRequest {
	metrics := map[string]*otlp.Metric{}
	var order []string
	metric := func(name, unit, help string, empty func() *otlp.Metric) *otlp.Metric {
		m := metrics[name]
		if m == nil {
			m = empty()
			m.Name, m.Unit, m.Description = name, unit, help
			metrics[name] = m
			order = append(order, name)
		}
		return m
	}
	aggregation := otlp.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE
	start := uint64(e.began.UnixNano())
	if e.temporality == Delta {
		aggregation, start = otlp.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA, uint64(e.before.UnixNano())
	}
	now := uint64(e.now.UnixNano())
	for _, s := range all {
		whose := []*common.KeyValue{attribute("environment", s.environment), attribute("workload", e.workload)}
		if s.side != "" {
			whose = append(whose, attribute("side", s.side))
		}
		with := func(pairs ...string) []*common.KeyValue {
			labels := slices.Clone(whose)
			for i := 0; i+1 < len(pairs); i += 2 {
				labels = append(labels, attribute(pairs[i], pairs[i+1]))
			}
			return labels
		}
		count := func(name, help string, value, before int64, pairs ...string) {
			if e.temporality == Delta {
				value -= before
			}
			sum := metric(name, "{request}", help, func() *otlp.Metric {
				return &otlp.Metric{Data: &otlp.Metric_Sum{Sum: &otlp.Sum{AggregationTemporality: aggregation,
					IsMonotonic: true}}}
			}).GetSum()
			sum.DataPoints = append(sum.DataPoints, &otlp.NumberDataPoint{Attributes: with(pairs...),
				StartTimeUnixNano: start, TimeUnixNano: now, Value: &otlp.NumberDataPoint_AsInt{AsInt: value}})
		}
		gauge := func(name, unit, help string, value float64, pairs ...string) {
			points := metric(name, unit, help,
				func() *otlp.Metric { return &otlp.Metric{Data: &otlp.Metric_Gauge{Gauge: &otlp.Gauge{}}} }).GetGauge()
			points.DataPoints = append(points.DataPoints, &otlp.NumberDataPoint{Attributes: with(pairs...),
				TimeUnixNano: now, Value: &otlp.NumberDataPoint_AsDouble{AsDouble: value}})
		}
		histogram := func(name, help string, of, before times, pairs ...string) {
			if e.temporality == Delta {
				of = of.since(before)
			}
			if of.count == 0 {
				return
			}
			h := metric(name, "s", help, func() *otlp.Metric {
				return &otlp.Metric{Data: &otlp.Metric_ExponentialHistogram{ExponentialHistogram: &otlp.ExponentialHistogram{AggregationTemporality: aggregation}}}
			}).GetExponentialHistogram()
			h.DataPoints = append(h.DataPoints, &otlp.ExponentialHistogramDataPoint{
				Attributes: with(pairs...), StartTimeUnixNano: start, TimeUnixNano: now, Count: uint64(of.count),
				Sum: &of.sum, Scale: scale, Positive: of.exponential(),
			})
		}
		count("agstest.requests.due", "Requests that the schedule asked for, of all operations together", s.due,
			e.previousDue[s.side])
		gauge("agstest.send_lag", "s", "By how much 99 % of requests left late at most, in the last ten seconds",
			float64(s.at.Lag99)/1e9)
		gauge("agstest.requests.in_flight", "{request}", "Requests whose answer has not come yet",
			float64(s.at.InFlight))
		gauge("agstest.run.elapsed", "s", "Time since the clock of the load started", s.at.Elapsed.Seconds())
		gauge("agstest.run.left", "s", "Time until the load is over", s.at.Left.Seconds())
		kept := s.kept()
		for _, expression := range slices.Sorted(maps.Keys(kept)) {
			value := 0.0
			if kept[expression] {
				value = 1
			}
			gauge("agstest.limit.kept", "{limit}", "1 for a limit that is kept so far, 0 for one that is not", value, "limit",
				expression)
		}
		for i := range s.operations {
			o := &s.operations[i]
			before := e.previous[s.side+"/"+o.name]
			count("agstest.requests.asked", "Requests of an operation that were asked for and begun", o.asked,
				before.asked, "operation", o.name)
			count("agstest.requests.sent", "Requests that were sent", o.sent, before.sent, "operation", o.name)
			count("agstest.requests.right", "Requests with the wanted status and a right answer", o.right, before.right,
				"operation", o.name)
			for _, kind := range slices.Sorted(maps.Keys(o.wrong)) {
				count("agstest.requests.wrong", "Requests with any other answer, or none", o.wrong[kind],
					before.wrong[kind], "operation", o.name, "kind", kind)
			}
			for _, q := range []struct {
				quantile string
				value    float64
			}{{"0.5", o.p50}, {"0.95", o.p95}, {"0.99", o.p99}} {
				if q.value > 0 {
					gauge("agstest.recent_time", "s",
						"Response time of right answers in the last ten seconds; in a closed loop service time",
						q.value, "operation", o.name, "quantile", q.quantile)
				}
			}
			histogram("agstest.response_time", "Response time of right answers, from when the request was due",
				o.response, before.response, "operation", o.name)
			histogram("agstest.service_time", "Service time of right answers, from when the request was sent",
				o.service, before.service, "operation", o.name)
		}
	}
	scope := &otlp.ScopeMetrics{Scope: &common.InstrumentationScope{Name: "agstest", Version: who.Version}}
	for _, name := range order {
		scope.Metrics = append(scope.Metrics, metrics[name])
	}
	return &service.ExportMetricsServiceRequest{ResourceMetrics: []*otlp.ResourceMetrics{{
		Resource: &resource.Resource{Attributes: []*common.KeyValue{
			attribute("service.name", "agstest"), attribute("service.version",
				who.Version), attribute("service.instance.id", who.Run),
		}},
		ScopeMetrics: []*otlp.ScopeMetrics{scope},
	}}}
}

// exponential are the buckets in OTLP's form, whose index 0 begins where ours ends: bucket i is above 2^(i/8).
func (t *times) exponential() *otlp.ExponentialHistogramDataPoint_Buckets {
	least, most := 0, 0
	first := true
	for index := range t.sparse {
		if first || index < least {
			least = index
		}
		if first || index > most {
			most = index
		}
		first = false
	}
	counts := make([]uint64, most-least+1)
	for index, n := range t.sparse {
		counts[index-least] = uint64(n)
	}
	return &otlp.ExponentialHistogramDataPoint_Buckets{Offset: int32(least - 1), BucketCounts: counts}
}

// since returns the times that came after an earlier standing of the same times.
func (t times) since(before times) times {
	t = t.clone()
	t.count, t.sum = t.count-before.count, t.sum-before.sum
	for index, n := range before.sparse {
		if t.sparse[index] -= n; t.sparse[index] == 0 {
			delete(t.sparse, index)
		}
	}
	for i, n := range before.classic {
		t.classic[i] -= n
	}
	return t
}
