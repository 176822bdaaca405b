package reports_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/export"
	"agstest/reports/html"
	"agstest/reports/text"
)

// A known departure whose date is past is the first thing to know of its cause, in every file that shows the cause. One
// whose date is to come has nothing of it.
func TestAnExpiredKnownDepartureIsSaid(t *testing.T) {
	const said = "C-0a1b2c3d is a known departure (identity team) that has expired on 2026-01-31"
	of := func(expires string, verdict reports.Verdict) *reports.Conformance {
		c := sampleConformance()
		for i := range c.Causes {
			if c.Causes[i].ID == "C-0a1b2c3d" {
				known := reports.KnownDeparture{Reason: "AGS-1234", Owner: "identity team", Expires: expires}
				c.Causes[i].Verdict, c.Causes[i].Known = verdict, &known
			}
		}
		return c
	}
	for name, write := range map[string]func(io.Writer, *reports.Conformance) error{
		"html":     func(w io.Writer, c *reports.Conformance) error { return html.Conformance(w, c, html.Style{}) },
		"markdown": func(w io.Writer, c *reports.Conformance) error { return text.Markdown(w, c, nil) },
		"junit":    func(w io.Writer, c *reports.Conformance) error { return export.JUnit(w, c, nil) },
		"sarif":    func(w io.Writer, c *reports.Conformance) error { return export.SARIF(w, c, nil) },
		"terminal": func(w io.Writer, c *reports.Conformance) error { return text.Terminal(w, c, nil, false) },
	} {
		t.Run(name, func(t *testing.T) {
			var expired, still bytes.Buffer
			require.NoError(t, write(&expired, of("2026-01-31", reports.Fail)))
			require.Contains(t, expired.String(), said)
			require.NotContains(t, expired.String(), "until 2026-01-31")
			require.NoError(t, write(&still, of("2027-01-31", reports.Known)))
			require.NotContains(t, still.String(), "has expired")
		})
	}
}
