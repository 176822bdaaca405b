package export

import (
	"encoding/json"
	"fmt"
	"io"
)

// Grafana writes a dashboard for the metrics of metrics.prom, as Prometheus has them from the textfile collector of
// node_exporter or from Pushgateway. It asks for the data source when it is imported and has a variable for the
// environments.
func Grafana(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(dashboard()); err != nil {
		return fmt.Errorf("writing a dashboard for Grafana: %w", err)
	}
	return nil
}

// panel is one panel of the dashboard, in a grid of 24 columns.
type panel struct {
	title, kind, unit string
	x, y, width       int
	queries           [][2]string // expression and legend
	description       string
}

const ofEnvironment = `{environment=~"$environment"}`

var panels = []panel{
	{"Conformance", "stat", "bool_yes_no", 0, 0, 6, [][2]string{{"agstest_conformance_passed" + ofEnvironment, "{{environment}} {{kind}}"}}, "Whether the verdict of the last conformance run is pass or better."},
	{"Load", "stat", "bool_yes_no", 6, 0, 6, [][2]string{{"agstest_load_passed" + ofEnvironment, "{{environment}} {{kind}} {{workload}}"}}, "Whether the verdict of the last load run is pass or better."},
	{"Load figures are valid", "stat", "bool_yes_no", 12, 0, 6, [][2]string{{"agstest_load_valid" + ofEnvironment, "{{environment}} {{kind}} {{workload}}"}}, "Whether the generator kept its schedule, so that the figures speak of the service."},
	{"Age of the last run", "stat", "s", 18, 0, 6, [][2]string{{"time() - agstest_run_end_time_seconds" + ofEnvironment, "{{environment}} {{kind}} {{workload}}"}}, "An old verdict says nothing of today."},
	{"Requirements", "timeseries", "short", 0, 8, 12, [][2]string{{"agstest_requirements" + ofEnvironment, "{{environment}} {{verdict}}"}}, "By verdict."},
	{"Requirements that failed", "table", "short", 12, 8, 12, [][2]string{{"agstest_requirement_failed" + ofEnvironment + " == 1", "{{environment}} {{requirement}}"}}, ""},
	{"Response time", "timeseries", "s", 0, 16, 12, [][2]string{{`agstest_response_seconds{environment=~"$environment",quantile=~"0.5|0.95|0.99"}`, "{{environment}} {{operation}} {{quantile}}"}}, "Of right answers, from when the request was due."},
	{"Service time", "timeseries", "s", 12, 16, 12, [][2]string{{`agstest_service_seconds{environment=~"$environment",quantile=~"0.5|0.95|0.99"}`, "{{environment}} {{operation}} {{quantile}}"}}, "Of right answers, from when the request was sent."},
	{"Wrong answers", "timeseries", "percentunit", 0, 24, 12, [][2]string{{"agstest_requests_wrong" + ofEnvironment + " / agstest_requests_sent" + ofEnvironment, "{{environment}} {{operation}}"}}, "Share of the requests that were sent."},
	{"Limits", "table", "bool_yes_no", 12, 24, 12, [][2]string{{"agstest_limit_kept" + ofEnvironment, "{{environment}} {{limit}}"}}, "1: kept; 0: not kept, or it could not be judged."},
}

// panelOptions are the options of each kind of panel that Grafana's schema requires.
var panelOptions = map[string]map[string]any{
	"stat": {"graphMode": "none", "colorMode": "value", "justifyMode": "auto", "textMode": "auto", "orientation": "auto",
		"wideLayout": true, "showPercentChange": false,
		"percentChangeColorMode": "standard",
		"reduceOptions":          map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}},
	"timeseries": {"legend": map[string]any{"calcs": []string{}, "displayMode": "list", "placement": "bottom",
		"showLegend": true}, "tooltip": map[string]any{"mode": "multi", "sort": "desc"}},
	"table": {"showHeader": true, "frameIndex": 0},
}

func dashboard() map[string]any {
	type object = map[string]any
	source := object{"type": "prometheus", "uid": "${DS_PROMETHEUS}"}
	var shown []object
	for i, p := range panels {
		var targets []object
		for n, q := range p.queries {
			target := object{"refId": string(rune('A' + n)), "datasource": source, "expr": q[0], "legendFormat": q[1]}
			if p.kind != "timeseries" {
				target["instant"] = true
			}
			if p.kind == "table" {
				target["format"] = "table"
			}
			targets = append(targets, target)
		}
		shown = append(shown, object{
			"id": i + 1, "title": p.title, "type": p.kind, "description": p.description, "datasource": source,
			"targets":     targets,
			"gridPos":     object{"x": p.x, "y": p.y, "w": p.width, "h": 8},
			"fieldConfig": object{"defaults": object{"unit": p.unit}, "overrides": []object{}}, "options": panelOptions[p.kind],
		})
	}
	return object{
		"__inputs": []object{{"name": "DS_PROMETHEUS", "label": "Prometheus", "description": "", "type": "datasource",
			"pluginId": "prometheus", "pluginName": "Prometheus"}},
		"__requires": []object{{"type": "grafana", "id": "grafana", "name": "Grafana", "version": "9.0.0"},
			{"type": "datasource", "id": "prometheus", "name": "Prometheus", "version": "1.0.0"}},
		"uid": "agstest", "title": "AGS: conformance and load", "tags": []string{"agstest"}, "schemaVersion": 36,
		"version": 1, "editable": true, "refresh": "",
		"time": object{"from": "now-30d", "to": "now"}, "timezone": "", "annotations": object{"list": []object{}},
		"panels": shown,
		"templating": object{"list": []object{{
			"name": "environment", "label": "Environment", "type": "query", "datasource": source,
			"query":   "label_values(agstest_run_info, environment)",
			"refresh": 2, "multi": true, "includeAll": true, "sort": 1,
			"current": object{"text": []string{"All"}, "value": []string{"$__all"}}, "options": []object{},
		}}},
	}
}
