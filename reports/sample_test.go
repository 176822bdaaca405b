package reports_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"agstest/ags"
	"agstest/internal/figures"
	"agstest/reports"
)

var sampleStart = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)

func sampleRun(kind string) reports.Run {
	return reports.Run{
		ID: "20261123T093000Z-staging-" + kind + "-4f2a", Kind: kind, Environment: "staging", URL: "https://api.staging.example.com", Tenant: "nagra", Service: "Operator SSO",
		Command:  []string{"agstest", kind, "--env", "staging.yaml", "--limit", "refresh.p99<300ms"},
		Settings: map[string]string{"seed": "42", "profile": "core", "strictness": "default"},
		Tool:     reports.Tool{Version: "0.9.0", Commit: "1f3c9ab", Go: "go1.26.8"}, Machine: reports.Machine{OS: "linux", Arch: "amd64", CPUs: 4},
		Start: sampleStart, End: sampleStart.Add(34*time.Second + 210*time.Millisecond),
	}
}

// sampleConformance is a run with every verdict, built on the real catalogue.
func sampleConformance() *reports.Conformance {
	c := &reports.Conformance{Schema: reports.ConformanceSchema, Run: sampleRun("conform"), Verdict: reports.Fail, Reason: "2 requirements failed: SOST-20 and REF-04.", Profile: reports.Profile{Name: "core", Asked: 92, Exercised: 80},
		Notes: []string{"One answer 429 was waited out for 2 s, as its Retry-After asked.", "The service's clock is 1.4 s ahead of ours."}}
	pages := map[string]ags.Page{}
	for _, page := range ags.Pages {
		pages[page.Key] = page
	}
	features := map[string][3]string{
		"DISC": {"Service discovery", "features/servicediscovery.feature", "a client asks which services there are"},
		"SOST": {"Signing in with a session token", "features/sign_on_with_session_token.feature", "a known device signs on"},
		"GST":  {"Requesting a session token", "features/get_session_token.feature", "the head-end asks for a session token"},
		"REF":  {"Re-authenticating with the refresh token", "features/refresh.feature", "a client refreshes its tokens"},
		"TOK":  {"Tokens", "features/tokens.feature", "the tokens of a sign-on are read"},
	}
	special := map[string]reports.Verdict{"SOST-20": reports.Fail, "REF-04": reports.Fail, "DISC-09": reports.Warn, "TOK-21": reports.Warn, "SOST-17": reports.Skipped, "SOST-18": reports.Skipped, "SOST-32": reports.Skipped, "GST-05": reports.Error, "TOK-08": reports.Known,
		"DISC-13": reports.NotExercised, "SOST-31": reports.NotExercised, "REF-12": reports.NotExercised}
	line := 4
	for i, catalogued := range ags.Requirements {
		prefix, _, _ := strings.Cut(catalogued.ID, "-")
		feature, ours := features[prefix]
		if !ours {
			continue
		}
		verdict, ok := special[catalogued.ID]
		if !ok {
			verdict = reports.Pass
			if catalogued.Level == ags.Probe {
				verdict = reports.Observed
			}
		}
		line += 9
		id := fmt.Sprintf("%s:%d", feature[1], line)
		requirement := reports.Requirement{ID: catalogued.ID, Level: string(catalogued.Level), Gating: string(catalogued.Gating()), Verdict: verdict, Text: catalogued.Text, Checked: 1 + i%7}
		for key := range strings.FieldsSeq(catalogued.Sources) {
			requirement.Sources = append(requirement.Sources, reports.Source{Key: key, Title: pages[key].Title, Where: pages[key].Where})
		}
		if verdict == reports.NotExercised {
			requirement.Checked, requirement.Reason = 0, ""
			c.Requirements = append(c.Requirements, requirement)
			continue
		}
		requirement.Scenario = []string{id}
		scenario := reports.Scenario{ID: id, Feature: feature[0], File: feature[1], Line: line, Name: strings.ToUpper(feature[2][:1]) + feature[2][1:] + " (" + catalogued.ID + ")", Tags: []string{"@" + catalogued.ID}, Requirements: []string{catalogued.ID},
			Verdict: verdict, Nanoseconds: int64(4+i%90) * 1_370_000, Steps: []reports.Step{
				{Keyword: "Given ", Text: "the situation \"active\" of this environment", Line: line + 1, Verdict: reports.Pass, Nanoseconds: 21_000},
				{Keyword: "When ", Text: feature[2], Line: line + 2, Verdict: reports.Pass, Nanoseconds: 3_400_000},
				{Keyword: "Then ", Text: "the answer is 201 and its \"client_id\" is the one that was sent", Line: line + 3, Verdict: reports.Pass, Nanoseconds: 60_000},
			}}
		finding := reports.Finding{Requirement: catalogued.ID, Verdict: verdict, Scenario: id, Exchange: 0, Times: 1}
		switch verdict {
		case reports.Fail:
			finding.Expected, finding.Got, finding.Times = `client_id "PUB_989", as it was sent`, `client_id "PUB_990"`, 3
			scenario.Steps[2].Verdict, scenario.Steps[2].Message = reports.Fail, `client_id is "PUB_990", wanted "PUB_989"`
			scenario.Transcript = []reports.Exchange{sampleExchange()}
		case reports.Warn:
			finding.Expected, finding.Got = "an endpoint entry whose path is /signOn", "paths /signOnWithSessionToken and /refresh"
			scenario.Transcript = []reports.Exchange{sampleExchange()}
		case reports.Error:
			finding.Expected, finding.Got, finding.Exchange = "an answer", "no answer: the connection was closed after 512 bytes", -1
			scenario.Steps[1].Verdict, scenario.Steps[1].Message = reports.Error, "no answer: the connection was closed after 512 bytes"
			scenario.Steps[2].Verdict = reports.Skipped
		case reports.Skipped:
			requirement.Needs = map[string]string{"SOST-17": "situations.geo-blocked: an address that is refused", "SOST-18": "situations.suspended-account: a session token of a suspended account", "SOST-32": "situations.foreign-device: a device of another account"}[catalogued.ID]
			requirement.Reason = "the environment has no such situation"
			scenario.Reason = requirement.Needs
			scenario.Steps = scenario.Steps[:1]
			scenario.Steps[0].Verdict = reports.Skipped
		case reports.Known:
			requirement.Known = &reports.KnownDeparture{Reason: "AGS-1234: profile is left out until release 25.2", Owner: "identity team", Expires: "2027-03-31"}
			requirement.Reason = "listed as a known departure"
			finding.Expected, finding.Got = "claim accountProfileId", "no such claim"
		case reports.Observed:
			finding.Got = "answered 404"
		}
		finding.Cause = map[reports.Verdict]string{reports.Fail: "C-0a1b2c3d", reports.Warn: "C-17e5d9aa", reports.Error: "C-5d20c8f1", reports.Known: "C-c4f7709e"}[verdict]
		if finding.Cause != "" {
			addSampleCause(c, finding, scenario)
		}
		if verdict != reports.Pass && verdict != reports.Skipped {
			requirement.Findings = []reports.Finding{finding}
			scenario.Findings = []reports.Finding{finding}
		}
		c.Requirements = append(c.Requirements, requirement)
		c.Scenarios = append(c.Scenarios, scenario)
	}
	c.Counts = reports.Counts{Requirements: reports.RequirementCounts(c.Requirements), Scenarios: reports.ScenarioCounts(c.Scenarios), Exchanges: 412}
	c.Shape = []reports.ShapeEntry{{Operation: "signOnWithSessionToken", Status: 201, Place: "$.access_token", Kind: "string", Times: 40}}
	return c
}

// addSampleCause counts a finding for its cause.
func addSampleCause(c *reports.Conformance, f reports.Finding, s reports.Scenario) {
	i := slices.IndexFunc(c.Causes, func(c reports.Cause) bool { return c.ID == f.Cause })
	if i < 0 {
		i = len(c.Causes)
		c.Causes = append(c.Causes, reports.Cause{ID: f.Cause, Verdict: f.Verdict, Operation: "signOnWithSessionToken", Expected: f.Expected, Got: f.Got, Scenario: s.ID, Exchange: f.Exchange})
		if f.Verdict == reports.Known {
			c.Causes[i].Known = &reports.KnownDeparture{Reason: "AGS-1234: profile is left out until release 25.2", Owner: "identity team", Expires: "2027-03-31"}
		}
	}
	cause := &c.Causes[i]
	cause.Requirements, cause.Scenarios = append(cause.Requirements, f.Requirement), append(cause.Scenarios, s.ID)
	cause.Times += f.Times
}

func sampleExchange() reports.Exchange {
	return reports.Exchange{Operation: "signOnWithSessionToken", Method: "POST", URL: "https://api.staging.example.com/ags/signOnWithSessionToken",
		RequestHeader: [][2]string{{"Content-Type", "application/json"}, {"nv-tenant-id", "nagra"}, {"x-auth-service-id", "Operator SSO"}, {"x-correlation-id", "agstest-4f2a-0017"}},
		RequestBody:   "{\n  \"clientId\": \"PUB_989\",\n  \"parameters\": [{\"name\": \"sessionToken\", \"value\": \"[redacted 36 bytes, a1b2]\"}]\n}",
		Status:        201, ResponseHeader: [][2]string{{"Content-Type", "application/json;charset=utf-8"}, {"Date", "Mon, 23 Nov 2026 09:30:11 GMT"}},
		ResponseBody: "{\n  \"access_token\": \"[redacted 612 bytes, 99c0]\",\n  \"refresh_token\": \"[redacted 588 bytes, 7d21]\",\n  \"client_id\": \"PUB_990\",\n  \"accountId\": \"1663\",\n  \"expires_in\": 3600\n}",
		Tampered:     "the value of the parameter sessionToken is cut short",
		Nanoseconds:  23_480_000, Curl: "curl -sS -X POST 'https://api.staging.example.com/ags/signOnWithSessionToken' \\\n  -H 'Content-Type: application/json' \\\n  -H 'nv-tenant-id: nagra' \\\n  -d '{\"clientId\":\"PUB_989\",\"parameters\":[{\"name\":\"sessionToken\",\"value\":\"'\"$SESSION_TOKEN\"'\"}]}'"}
}

// sampleLoad makes a run of the given operations and seconds, with a stall and a burst of answers 503.
func sampleLoad(operations, seconds int) *reports.Load {
	names := []string{"signon", "refresh", "discover", "mint", "signout", "register", "sso", "account", "device", "profile", "tvkey", "companion"}[:operations]
	random := rand.New(rand.NewPCG(7, 11))
	run := sampleRun("load")
	run.End = run.Start.Add(time.Duration(seconds) * time.Second)
	l := &reports.Load{Schema: reports.LoadSchema, Run: run, Verdict: reports.Fail, Reason: "1 of 3 limits was broken: refresh.p99<300ms came to 342.1 ms.", Valid: true,
		Plan: reports.Plan{Workload: "mixed", Mix: map[string]int{"signon": 1, "refresh": 9}, Schedule: fmt.Sprintf("200/s for %d s, after a ramp of a tenth of it", seconds), Hits: int64(200 * seconds), Seconds: float64(seconds), Clients: 2000,
			Transport: "net/http, because the service speaks HTTP/2", Seed: 42},
		Operations: map[string]*reports.Operation{}, Generator: reports.Generator{Lag: reports.Percentiles{Count: 6000, Min: 1_000, Mean: 90_000, P50: 60_000, P90: 140_000, P95: 210_000, P99: 480_000, P999: 1_900_000, Max: 3_200_000},
			MaxInFlight: 214, CPUSeconds: 8.4, CPUShare: 0.07, GCPause: reports.Percentiles{Count: 31, Max: 410_000}},
		Limits: []reports.Limit{{Expression: "signon.p95<500ms", Verdict: reports.Pass, Value: "61.3 ms", Interval: "58.0 to 66.2 ms"}, {Expression: "refresh.p99<300ms", Verdict: reports.Fail, Value: "342.1 ms", Interval: "318.4 to 371.0 ms", Reason: "the whole interval is beyond the limit"}, {Expression: "errors<1%", Verdict: reports.Pass, Value: "0.41 %"}},
		Notes:  []string{"2,000 session tokens were minted before the run, in 3.1 s."},
	}
	total := &reports.Operation{Statuses: map[string]int64{}, Outcomes: map[string]int64{}}
	for n, name := range names {
		base := 9.0 + 4*float64(n)
		share := int64(max(2, 180/(n*n*n+1)))
		o := &reports.Operation{Statuses: map[string]int64{"201": 0}, Outcomes: map[string]int64{}, Bytes: 1 << 20}
		for at := range seconds {
			asked := share * int64(min(at+1, seconds/10+1)) / int64(seconds/10+1)
			level := base * (1 + 0.12*math.Sin(float64(at)/9) + 0.08*random.NormFloat64())
			if at > seconds/2 && at < seconds/2+max(3, seconds/40) {
				level *= 9
			}
			second := reports.Second{At: at, Operation: name, Asked: asked, Sent: asked, Right: asked, P50: int64(level * 1e6), P95: int64(level * 1.9e6), P99: int64(level * (3 + random.Float64()) * 1e6), Max: int64(level * (5 + 6*random.Float64()) * 1e6), Lag99: int64((0.1 + 0.4*random.Float64()) * 1e6)}
			if at > seconds*7/10 && at < seconds*8/10 && n < 2 && asked > 1 {
				second.Wrong, second.Right = 1, asked-1
				second.Statuses = map[string]int64{"503": 1}
				o.Statuses["503"]++
				o.Outcomes["status"]++
			}
			o.Asked, o.Sent, o.Right, o.Wrong = o.Asked+second.Asked, o.Sent+second.Sent, o.Right+second.Right, o.Wrong+second.Wrong
			o.Statuses["201"] += second.Right
			l.Seconds = append(l.Seconds, second)
		}
		o.Rate = float64(o.Sent) / float64(seconds)
		at := func(factor float64) int64 { return int64(base * factor * 1e6) }
		o.Service = reports.Percentiles{Count: o.Right, Min: at(.4), Mean: at(1.1), P50: at(1), P90: at(1.6), P95: at(1.9), P99: at(3.4), P999: at(9.1), Max: at(52)}
		o.Response = reports.Percentiles{Count: o.Right, Min: at(.4), Mean: at(1.2), P50: at(1.02), P90: at(1.7), P95: at(2.1), P99: at(4.2), P999: at(21), Max: at(61)}
		if name == "refresh" {
			o.Response.P99, o.Response.P999, o.Response.Max = 342_061_000, 611_400_000, 1_204_900_000
		}
		for q := 0.0; q < 0.999999; q += (1 - q) * 0.13 {
			o.Curve = append(o.Curve, reports.CurvePoint{q, at(0.4 + 0.6*math.Pow(1/(1-q), 0.35))})
		}
		l.Operations[name] = o
		total.Asked, total.Sent, total.Right, total.Wrong, total.Rate = total.Asked+o.Asked, total.Sent+o.Sent, total.Right+o.Right, total.Wrong+o.Wrong, total.Rate+o.Rate
		for status, count := range o.Statuses {
			total.Statuses[status] += count
		}
	}
	l.Plan.Hits = total.Asked
	l.Plan.Schedule = fmt.Sprintf("%s for %d s, after a ramp of a tenth of it", figures.Rate(total.Rate), seconds)
	total.Response = l.Operations[names[0]].Response
	total.Service = l.Operations[names[0]].Service
	total.Response.Count = total.Right
	l.Total = total
	x := sampleExchange()
	x.Status, x.ResponseBody = 503, "{\"error\": \"overloaded\"}"
	sampleHits(l, seconds, x)
	return l
}

// sampleHits gives a load the hits that a run keeps: the slowest of each operation, and wrong answers of refresh.
func sampleHits(l *reports.Load, seconds int, x reports.Exchange) {
	hit := func(operation string, n int, at, took int64) reports.Hit {
		return reports.Hit{Operation: operation, Number: uint64(n), Client: fmt.Sprintf("client %d (device dev…%03d, account acc…%03d)", n%40+1, n%40+1, n%40+1), Due: at, Sent: at + 200_000,
			SentAt: l.Run.Start.Add(time.Duration(at + 200_000)), Response: took + 200_000, Service: took, Status: 201, CorrelationID: fmt.Sprintf("agstest-16-1x2y3z-%d", n),
			TraceParent: fmt.Sprintf("00-4bf92f3577b34da6a3ce929d0e0e%04x-00f067aa0ba9%04x-01", n, n)}
	}
	for _, name := range l.OperationNames() {
		top := l.Operations[name].Response.Max
		for i := range int64(reports.KeptSlow) {
			h := hit(name, int(1000+37*i%1000), int64(seconds)*1e9/2+i*7_300_000, top/(1+i/4)-i*10_000)
			if i == 3 {
				h.Status, h.Kind = 503, "status"
			}
			l.Slowest = append(l.Slowest, h)
		}
	}
	kind := reports.WrongKind{Operation: "refresh", Kind: "status", Statuses: map[string]int64{"503": 0}, Clients: 7, Verdict: reports.Warn, Limit: "errors<1%"}
	for _, second := range l.Seconds {
		if second.Operation == "refresh" && second.Wrong > 0 {
			kind.Seconds = append(kind.Seconds, [2]int64{int64(second.At), second.Wrong})
			kind.Times += second.Wrong
		}
	}
	kind.Statuses["503"] = kind.Times
	for i := range int64(min(7, kind.Times)) {
		kind.Most = append(kind.Most, reports.ClientTimes{Client: fmt.Sprintf("client %d (device dev…%03d)", i+1, i+1), Times: max(1, kind.Times/7-i)})
	}
	if kind.Times > 0 {
		l.WrongKinds = append(l.WrongKinds, kind)
	}
	for i := range 3 * reports.KeptWrong {
		h := hit("refresh", 5000+i, int64(seconds)*7e8+int64(i)*int64(seconds)*1e8/60, 40_000_000)
		h.Kind, h.Status, h.Operation = "status", 503, "refresh"
		place := []string{reports.PlaceFirst, reports.PlaceBetween, reports.PlaceLast}[i/reports.KeptWrong]
		one := x
		l.Wrong = append(l.Wrong, reports.Wrong{Operation: "refresh", Kind: "status", Times: max(9, kind.Times), Message: "answered 503, wanted 201", Place: place, Hit: &h, Exchange: &one})
	}
	l.Trace = &reports.TraceContext{Sent: l.Total.Sent, Back: l.Total.Sent}
}

func sampleGate() *reports.Gate {
	return &reports.Gate{Schema: reports.GateSchema, Run: sampleRun("gate"), Verdict: reports.Fail, Reason: "Conformance failed: SOST-20 and REF-04; load broke 1 of 3 limits.", Conformance: sampleConformance(), Load: sampleLoad(2, 60)}
}
