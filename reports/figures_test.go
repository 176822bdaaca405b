package reports_test

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agstest/internal/figures"
	"agstest/reports"
	"agstest/reports/export"
	"agstest/reports/html"
	"agstest/reports/text"
)

// TestNumbersAgree: each percentile and count is the same to the last digit shown in the page, in Markdown, in JUnit,
// in OpenMetrics and, rounded, in JSON.
func TestNumbersAgree(t *testing.T) {
	l := sampleLoad(3, 30)
	for i, name := range l.OperationNames() { // values at which careless rounding would differ
		r := &l.Operations[name].Response
		r.P50, r.P90, r.P95, r.P99, r.P999, r.Max = 9_995_000-int64(i), 10_050_000-int64(i), 99_949_999, 100_050_000, 999_949_999+int64(i), 1_000_050_000
	}
	back, err := reports.ReadLoad(bytes.NewReader(stored(t, l)))
	require.NoError(t, err)
	var page, markdown, metrics, summary bytes.Buffer
	require.NoError(t, html.Load(&page, l, html.Style{}))
	require.NoError(t, text.Markdown(&markdown, nil, l))
	require.NoError(t, export.OpenMetrics(&metrics, nil, l))
	require.NoError(t, text.Terminal(&summary, nil, l, false))
	junit := string(junitOf(t, nil, l))
	for _, name := range l.OperationNames() {
		o := l.Operations[name]
		row := regexp.MustCompile(`(?s)<tr class="v-[a-z]+"><th scope="row">` + name + `</th>.*?</tr>|<tr><th scope="row">` + name + `</th><td>.*?</tr>`).FindString(page.String())
		require.NotEmpty(t, row)
		line := regexp.MustCompile(`(?m)^\| ` + name + ` \|.* ms \|.*$`).FindString(markdown.String())
		plain := regexp.MustCompile(`(?m)^ +` + name + ` .*$`).FindString(summary.String())
		suite := regexp.MustCompile(`(?s)<testsuite [^>]*name="load: ` + name + ` \([^"]*\)".*?</properties>`).FindString(junit)
		for i, p := range o.Response.List() {
			shown := figures.Milliseconds(p.Nanoseconds)
			number := strings.TrimSuffix(shown, " ms")
			require.Contains(t, row, `<td class="number">`+number+`</td>`, "page, %s %s", name, p.Word)
			require.Contains(t, line, "| "+shown+" |", "Markdown")
			require.Contains(t, plain, " "+number, "terminal")
			require.Contains(t, suite, `name="response.`+p.Key+`" value="`+shown+`"`, "JUnit")
			require.Contains(t, metrics.String(), `,operation="`+name+`",quantile="`+decimal(p.Quantile)+`"} `+decimal(figures.Seconds(p.Nanoseconds))+"\n", "OpenMetrics")
			require.Equal(t, shown, figures.Milliseconds(back.Operations[name].Response.List()[i].Nanoseconds), "JSON")
		}
		require.Contains(t, row, `<td class="number">`+figures.Percent(o.Right, o.Sent)+`</td>`)
		require.Contains(t, line, "| "+figures.Percent(o.Right, o.Sent)+" |")
		require.Contains(t, metrics.String(), `agstest_requests_wrong{environment="staging",service="Operator SSO",tenant="nagra",kind="load",workload="mixed",operation="`+name+`"} `+strconv.FormatInt(o.Wrong, 10)+".0\n")
		require.Contains(t, suite, `name="wrong" value="`+figures.Count(o.Wrong)+`"`)
	}
}

// decimal is a number as OpenMetrics writes it: a whole one with a point too.
func decimal(number string) string {
	if strings.Contains(number, ".") {
		return number
	}
	return number + ".0"
}
