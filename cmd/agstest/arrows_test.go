package main

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// walls says which packages of this module, and which libraries of the prescribed kinds, a package may import. The mock
// serves and the judge checks from the same facts and never from each other's code, so that a mistake in one cannot
// hide in the other.
var walls = map[string][]string{
	"ags":                  {},
	"features":             {},
	"internal/openapi":     {"ags"},
	"internal/failure":     {},
	"internal/disarm":      {},
	"internal/delivery":    {},
	"internal/hostile":     {},                 // for tests only: nobody may import it
	"internal/ports":       {},                 // for tests only: nobody may import it
	"internal/gateways":    {"internal/ports"}, // for tests only: nobody may import it
	"internal/plainwords":  {},                 // for tests only: nobody may import it
	"internal/stats":       {},
	"reports/browser":      {}, // for tests only: nobody may import it
	"internal/systems":     {},
	"internal/figures":     {},
	"internal/userfile":    {},
	"internal/wholefile":   {},
	"environments":         {},
	"mock":                 {"ags"},
	"mock/dumb":            {"ags"}, // for tests only: nobody may import it
	"internal/redact":      {"ags"}, // texts alone: no wire, no reports
	"internal/wire":        {"ags", "internal/delivery", "internal/failure", "internal/redact"},
	"internal/strictjson":  {"ags"}, // for the kinds of values
	"internal/check":       {"ags", "internal/figures", "internal/redact", "internal/strictjson", "internal/wire"},
	"internal/environment": {"ags", "internal/figures", "internal/wire", "internal/failure", "internal/userfile"},
	"internal/tokens":      {"internal/environment", "internal/failure", "internal/userfile", "internal/wire"},
	"internal/journal":     {"internal/failure"},
	"internal/kept":        {"internal/failure", "internal/wholefile"},
	"internal/actions":     {"internal/environment", "internal/failure", "internal/journal", "internal/tokens", "internal/userfile"},
	"reports":              {"internal/disarm", "internal/figures", "internal/stats", "internal/userfile"},
	"reports/compare":      {"internal/figures", "internal/stats", "reports"},
	"steps":                {"ags", "features", "internal/actions", "internal/check", "internal/environment", "internal/failure", "internal/figures", "internal/redact", "internal/strictjson", "internal/tokens", "internal/userfile", "internal/wire", "reports", "steps/scene", "steps/script", "steps/talk", "steps/words"},
	"steps/script":         {"ags", "features", "internal/environment", "internal/failure", "internal/figures", "internal/userfile"},                                                                                                                  // nothing is sent
	"steps/talk":           {"ags", "internal/check", "internal/environment", "internal/failure", "internal/strictjson", "internal/wire"},                                                                                                             // no scenario
	"steps/scene":          {"ags", "internal/actions", "internal/check", "internal/environment", "internal/failure", "internal/figures", "internal/redact", "internal/strictjson", "internal/tokens", "internal/wire", "steps/script", "steps/talk"}, // no sentence, no verdict
	"steps/words":          {"ags", "internal/check", "internal/environment", "internal/failure", "internal/figures", "internal/redact", "internal/strictjson", "internal/wire", "steps/scene", "steps/script", "steps/talk"},                         // no verdict
	"load":                 {"internal/environment", "internal/figures", "internal/failure", "internal/redact", "internal/tokens", "internal/wire", "load/clients", "load/engine", "load/hit", "load/limit", "load/schedule", "load/tally", "load/transport", "reports"},
	"load/ab":              {"internal/environment", "internal/failure", "internal/redact", "load", "load/clients", "load/engine", "load/hit", "load/schedule", "load/tally", "load/transport", "reports", "reports/compare"},
	"load/engine":          {"internal/failure", "internal/figures", "internal/redact", "internal/wire", "load/hit", "load/schedule", "load/tally", "load/transport", "reports"}, // no options, no clients, no environment
	"load/clients":         {"ags", "internal/check", "internal/environment", "internal/failure", "internal/figures", "internal/strictjson", "internal/tokens", "internal/userfile", "internal/wire", "load/hit", "load/limit", "load/schedule", "load/transport", "load/unique", "reports"},
	"load/lab":             {"internal/environment", "mock"}, // for tests only: nobody may import it
	"load/hit":             {},
	"load/limit":           {"internal/failure", "internal/figures", "internal/stats", "load/hit", "reports"}, // no wire, no check, no environment
	"load/schedule":        {"internal/failure", "internal/figures", "internal/userfile", "load/hit", "load/limit"},
	"load/tally":           {"internal/failure", "internal/figures", "load/hit", "load/limit", "load/schedule", "load/unique", "reports"},
	"load/transport":       {"internal/delivery", "internal/failure", "internal/wire", "load/hit"},
	"load/metrics":         {"internal/failure", "internal/wire", "load/engine", "reports"},
	"load/watch":           {"internal/failure", "internal/figures", "load/engine", "reports", "reports/html"},
	"load/unique":          {"internal/wholefile", "load/hit", "load/schedule", "reports"},
	"load/shards":          {"ags", "internal/environment", "internal/figures", "internal/failure", "internal/stats", "internal/wire", "load", "load/engine", "load/schedule", "load/tally", "reports"},
	"internal/plan":        {"internal/failure", "internal/userfile", "internal/wholefile"},
	"reports/markdown":     {"internal/disarm", "internal/figures", "reports"},
	"reports/matrix":       {"internal/figures", "reports", "reports/html", "reports/runs", "reports/markdown"},
	"reports/site":         {"internal/disarm", "internal/failure", "internal/figures", "internal/userfile", "reports", "reports/compare", "reports/html", "reports/runs", "reports/matrix"},
	"reports/export":       {"internal/disarm", "internal/figures", "reports", "reports/compare"},
	"reports/runs":         {"internal/userfile", "internal/wholefile", "reports", "reports/compare"},
	"reports/html":         {"internal/figures", "reports", "reports/compare"},
	"reports/text":         {"internal/disarm", "internal/figures", "reports", "reports/compare", "reports/markdown"},
	"load/kubernetes":      {"internal/failure", "load/shards"},
	"internal/ociimage":    {"internal/failure"},
	"cmd/agstest":          nil, // anything
}

// onlyHere lists libraries that a single room may import.
var onlyHere = map[string][]string{
	"github.com/cucumber/godog":     {"steps"},
	"github.com/tsenart/vegeta/v12": {"load/engine"},
	"github.com/valyala/fasthttp":   {"load/transport"},
	"github.com/golang-jwt/jwt/v5":  {"internal/environment"},
	"github.com/spf13/cobra":        {"cmd/agstest"},
	"github.com/prometheus":         {"load/metrics", "reports/export"},
	"go.opentelemetry.io":           {"load/metrics"},
	"html/template":                 {"load/watch", "reports/html", "reports/matrix", "reports/site"},
	"k8s.io":                        {"load/kubernetes"},
	"os/signal":                     {"cmd/agstest"},
	"flag":                          {"cmd/agstest"},
}

// maxFiles is how many files a package has at most, without tests: with more one is lost in it.
const maxFiles = 25

// large are the packages that have more on purpose: a command for each file, and faults that close over the state of
// the mock.
var large = []string{"cmd/agstest", "mock"}

// TestArrows keeps the walls between the packages, and their size.
func TestArrows(t *testing.T) {
	t.Parallel()
	list := exec.Command("go", "list", "-tags", flavour, "-f", `{{.ImportPath}} {{len .GoFiles}} {{join .Imports ","}}`, "agstest/...")
	var warnings strings.Builder
	list.Stderr = &warnings
	out, err := list.Output()
	require.NoError(t, err, warnings.String())
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	seen := 0
	for line := range strings.Lines(string(out)) {
		path, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		files, imports, _ := strings.Cut(rest, " ")
		room := strings.TrimPrefix(path, "agstest/")
		allowed, known := walls[room]
		if !known {
			parent := room[:max(strings.LastIndex(room, "/"), 0)]
			for parent != "" && !known {
				allowed, known = walls[parent]
				allowed = append(slices.Clone(allowed), parent)
				parent = parent[:max(strings.LastIndex(parent, "/"), 0)]
			}
		}
		require.True(t, known, "package %s has no walls: add it to the table on purpose", path)
		seen++
		count, err := strconv.Atoi(files)
		require.NoError(t, err)
		require.True(t, count <= maxFiles || slices.Contains(large, room), "%s has %d files; put those about one noun together", path, count)
		require.Contains(t, string(readme), "\n"+room+"/ ", "README's architecture says nothing of %s", path)
		for imported := range strings.SplitSeq(imports, ",") {
			require.NotContains(t, []string{"agstest/internal/hostile", "agstest/internal/gateways", "agstest/internal/plainwords"}, imported, "%s is no test", path)
			if ours, ok := strings.CutPrefix(imported, "agstest/"); ok && !strings.HasPrefix(room, "cmd/") {
				require.Contains(t, allowed, ours, "%s may not import %s", path, imported)
			}
			for library, rooms := range onlyHere {
				if imported == library || strings.HasPrefix(imported, library+"/") {
					home := slices.ContainsFunc(rooms, func(r string) bool { return room == r || strings.HasPrefix(room, r+"/") })
					require.True(t, home, "%s may not import %s", path, imported)
				}
			}
		}
	}
	require.GreaterOrEqual(t, seen, 10, "go list found too few packages")
}
