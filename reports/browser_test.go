package reports_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agstest/internal/figures"
	"agstest/reports"
	"agstest/reports/browser"
	"agstest/reports/html"
)

// hostileWords is put into every text of a run: it must be shown, and do nothing.
const hostileWords = `<script>pwned=1</script>"><img src=x onerror="pwned=1">'><svg onload=pwned=1></style></title></script><script>pwned=1</script>{{.}}javascript:pwned=1//` + "\x00\x1b[31m\u2028\u202e]]>"

// poisoned copies v with hostile words in every text and map key, except the texts that name a form, a verdict or an
// operation's place.
func poisoned[T any](v *T) *T {
	made := poison(reflect.ValueOf(v)).Interface().(*T)
	return made
}

func poison(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[reports.Verdict]() {
			return v
		}
		return reflect.ValueOf(v.String() + hostileWords).Convert(v.Type())
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		made := reflect.New(v.Type().Elem())
		made.Elem().Set(poison(v.Elem()))
		return made
	case reflect.Slice:
		made := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			made.Index(i).Set(poison(v.Index(i)))
		}
		return made
	case reflect.Array:
		made := reflect.New(v.Type()).Elem()
		for i := range v.Len() {
			made.Index(i).Set(poison(v.Index(i)))
		}
		return made
	case reflect.Map:
		made := reflect.MakeMap(v.Type())
		for each := v.MapRange(); each.Next(); {
			made.SetMapIndex(poison(each.Key()), poison(each.Value()))
		}
		return made
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return v
		}
		made := reflect.New(v.Type()).Elem()
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				made.Field(i).Set(poison(v.Field(i)))
			}
		}
		return made
	}
	return v
}

// samplePages are the pages that the tests look at.
func samplePages() map[string]func(io.Writer, html.Style) error {
	invalid := sampleLoad(2, 60)
	invalid.Verdict, invalid.Reason, invalid.Valid, invalid.Invalid = "invalid", "The generator was too slow: the figures do not speak of the service.", false, []string{"3,204 of 12,000 hits waited for a worker", "p99 of the send lag was 1,204.0 ms"}
	invalid.Run.Partial = "interrupted after 31 s"
	invalid.Generator.AtCap, invalid.Generator.Lag.P99 = 3204, int64(1204*time.Millisecond)
	capacity := sampleLoad(1, 60)
	capacity.Verdict, capacity.Reason, capacity.Limits = reports.Pass, "The service keeps the limits up to 800/s.", nil
	capacity.Capacity = &reports.Capacity{Rate: 800, Knee: 640, Reason: "at 1,000/s the p99 of refresh was beyond its limit", Points: []reports.CapacityPoint{
		{Rate: 200, Reached: 200, P50: 9e6, P99: 31e6, Verdict: reports.Pass}, {Rate: 400, Reached: 400, P50: 9.2e6, P99: 35e6, Verdict: reports.Pass},
		{Rate: 800, Reached: 800, P50: 14e6, P99: 91e6, Verdict: reports.Pass}, {Rate: 1000, Reached: 968, P50: 88e6, P99: 912e6, Errors: 0.021, Verdict: reports.Fail, Reason: "refresh.p99<300ms came to 912 ms"}}}
	capacity.Storm = &reports.Storm{Clients: 2000, Recovered: 41_200_000_000, Retries: 5121}
	return map[string]func(io.Writer, html.Style) error{
		"conformance": func(w io.Writer, s html.Style) error { return html.Conformance(w, sampleConformance(), s) },
		"load":        func(w io.Writer, s html.Style) error { return html.Load(w, sampleLoad(12, 600), s) },
		"invalid":     func(w io.Writer, s html.Style) error { return html.Load(w, invalid, s) },
		"capacity":    func(w io.Writer, s html.Style) error { return html.Load(w, capacity, s) },
		"gate":        func(w io.Writer, s html.Style) error { return html.Gate(w, sampleGate(), s) },
		"trend":       func(w io.Writer, s html.Style) error { return html.Trends(w, sampleTrends(), s) },
	}
}

// crowdedGate has more causes, limits and statements than two sheets can hold, and long words in each.
func crowdedGate() *reports.Gate {
	g := sampleGate()
	long := strings.Repeat("what the service says at length, and why that is not what was expected of it; ", 12)
	for i := range 30 {
		cause := g.Conformance.Causes[i%2]
		cause.ID, cause.Expected, cause.Got = fmt.Sprintf("C-%08x", i), long, long
		g.Conformance.Causes = append(g.Conformance.Causes, cause)
		limit := g.Load.Limits[0]
		limit.Reason = long
		g.Load.Limits = append(g.Load.Limits, limit)
	}
	g.Reason, g.Conformance.Reason, g.Load.Reason = long, long, long
	return g
}

// TestInABrowser opens the pages in Chromium: no violation of accessibility in light and dark, no request leaves the
// page, nothing in the data runs, and the charts show under Jenkins' default policy. Screenshots are kept in
// browser/out.
func TestInABrowser(t *testing.T) {
	node, chromium := browser.Tools(t, "browser", "playwright-core", "axe-core")
	folder := t.TempDir()
	put := func(kind, name string, style html.Style, write func(io.Writer, html.Style) error) {
		t.Helper()
		var b bytes.Buffer
		require.NoError(t, write(&b, style))
		require.NoError(t, os.MkdirAll(filepath.Join(folder, kind), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(folder, kind, name+".html"), b.Bytes(), 0o644))
	}
	pages := samplePages()
	pages["crowded"] = func(w io.Writer, s html.Style) error { return html.Gate(w, crowdedGate(), s) }
	for name, write := range pages { // with everything in them: only its first sheets are printed
		put("paper", name, html.Style{}, write)
	}
	// The parts of a page are looked at, not its length: axe takes long on long ones.
	pages["conformance"] = func(w io.Writer, s html.Style) error { return html.Conformance(w, smallConformance(), s) }
	pages["load"] = func(w io.Writer, s html.Style) error { return html.Load(w, sampleLoad(4, 120), s) }
	pages["gate"] = func(w io.Writer, s html.Style) error {
		g := sampleGate()
		g.Conformance = smallConformance()
		return html.Gate(w, g, s)
	}
	delete(pages, "crowded")
	delete(pages, "invalid") // its parts are those of load and capacity, its colours are tested by their contrast
	for name, comparison := range sampleComparisons() {
		if name == "open" || name == "itself" || name == "advisory" || name == "load-only" {
			continue // their parts are those of the others
		}
		if name == "runs" || name == "interleaved" {
			pages["compare-"+name] = func(w io.Writer, s html.Style) error { return html.Comparison(w, comparison, s) }
			put("paper", "compare-"+name, html.Style{}, pages["compare-"+name])
		}
		put("hostile", "compare-"+reports.Slug(name), html.Style{}, func(w io.Writer, s html.Style) error { return html.Comparison(w, poisoned(comparison), s) })
	}
	for name, write := range pages {
		put("pages", name, html.Style{}, write)
	}
	put("hostile", "conformance", html.Style{}, func(w io.Writer, s html.Style) error { return html.Conformance(w, poisoned(smallConformance()), s) })
	put("hostile", "load", html.Style{}, func(w io.Writer, s html.Style) error { return html.Load(w, poisoned(sampleLoad(2, 30)), s) })
	put("hostile", "gate", html.Style{}, func(w io.Writer, s html.Style) error {
		return html.Gate(w, poisoned(&reports.Gate{Verdict: reports.Fail, Conformance: smallConformance(), Load: sampleLoad(2, 30)}), s)
	})
	for _, name := range []string{"conformance", "load", "trend"} {
		put("jenkins", name, html.Style{Folder: true}, pages[name])
	}
	require.NoError(t, os.WriteFile(filepath.Join(folder, "jenkins", "report.css"), html.StyleSheet(), 0o644))

	out, err := filepath.Abs(filepath.Join("browser", "out"))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, node, "check.mjs", folder, chromium, out)
	command.Dir = "browser"
	var found, said bytes.Buffer
	command.Stdout, command.Stderr = &found, &said
	started := time.Now()
	err = command.Run()
	t.Logf("%s, in %s", bytes.TrimSpace(said.Bytes()), figures.Elapsed(time.Since(started)))
	require.NoError(t, err, fmt.Sprintf("what the browser found:\n%s\n%s", found.String(), said.String()))
}
