package reports

import (
	"bytes"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestFiguresAreShown(t *testing.T) {
	for nanoseconds, want := range map[int64]string{
		0: "0.00 ms", 4_999: "0.00 ms", 5_000: "0.01 ms", 420_000: "0.42 ms", 9_994_999: "9.99 ms", 9_995_000: "10.0 ms", 9_999_999: "10.0 ms", 10_049_999: "10.0 ms", 10_050_000: "10.1 ms",
		342_061_000: "342.1 ms", 1_904_349_999: "1,904.3 ms", 3_600_000_000_000: "3,600,000.0 ms", -5_000: "-0.01 ms", -342_061_000: "-342.1 ms",
		math.MaxInt64: "9,223,372,036,854.7 ms", math.MinInt64: "-9,223,372,036,854.7 ms",
	} {
		require.Equal(t, want, Milliseconds(nanoseconds), "%d", nanoseconds)
	}
	for _, each := range []struct {
		part, whole int64
		want        string
	}{{0, 0, "–"}, {0, 10, "0 %"}, {10, 10, "100 %"}, {1, 10_000_000, "< 0.01 %"}, {9_999_999, 10_000_000, "> 99.99 %"}, {41, 10_000, "0.41 %"}, {9_998, 10_000, "99.98 %"}} {
		require.Equal(t, each.want, Percent(each.part, each.whole))
	}
	for value, want := range map[float64]string{200: "200/s", 199.84: "199.8/s", 12345.67: "12,345.7/s", 0: "0/s", math.Inf(1): "–"} {
		require.Equal(t, want, Rate(value))
	}
	require.Equal(t, "–", Rate(math.NaN()))
	for d, want := range map[time.Duration]string{-1: "0 s", 340 * time.Millisecond: "340.0 ms", 12*time.Second + 410*time.Millisecond: "12.4 s", 10*time.Minute + 3*time.Second: "10 min 3 s", 25*time.Hour + time.Second: "25 h 0 min 1 s"} {
		require.Equal(t, want, Elapsed(d))
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", math.MinInt64: "-9,223,372,036,854,775,808"} {
		require.Equal(t, want, Count(n))
	}
}

// TestSecondsAreWhatIsShown: the number for machines is the number for people, to the last digit.
func TestSecondsAreWhatIsShown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nanoseconds := rapid.Int64Range(0, int64(time.Hour)).Draw(t, "ns")
		text := strings.ReplaceAll(strings.TrimSuffix(Milliseconds(nanoseconds), " ms"), ",", "")
		shown, err := strconv.ParseFloat(text, 64)
		require.NoError(t, err)
		machine, err := strconv.ParseFloat(seconds(nanoseconds), 64)
		require.NoError(t, err)
		require.InDelta(t, shown/1e3, machine, 1e-12)
		require.InDelta(t, float64(nanoseconds), float64(Shown(nanoseconds)), 50_000)
	})
}

// TestNumbersAgree: each percentile and count is the same to the last digit shown in the page, in Markdown, in JUnit, in OpenMetrics and,
// rounded, in JSON.
func TestNumbersAgree(t *testing.T) {
	l := sampleLoad(3, 30)
	for i, name := range l.operationNames() { // values at which careless rounding would differ
		r := &l.Operations[name].Response
		r.P50, r.P90, r.P95, r.P99, r.P999, r.Max = 9_995_000-int64(i), 10_050_000-int64(i), 99_949_999, 100_050_000, 999_949_999+int64(i), 1_000_050_000
	}
	back, err := ReadLoad(bytes.NewReader(stored(t, l)))
	require.NoError(t, err)
	var page, markdown, metrics, text bytes.Buffer
	require.NoError(t, LoadHTML(&page, l, Style{}))
	require.NoError(t, Markdown(&markdown, nil, l))
	require.NoError(t, OpenMetrics(&metrics, nil, l))
	require.NoError(t, Text(&text, nil, l, false))
	junit := string(junitOf(t, nil, l))
	for _, name := range l.operationNames() {
		o := l.Operations[name]
		row := regexp.MustCompile(`(?s)<tr class="v-[a-z]+"><th scope="row">` + name + `</th>.*?</tr>|<tr><th scope="row">` + name + `</th><td>.*?</tr>`).FindString(page.String())
		require.NotEmpty(t, row)
		line := regexp.MustCompile(`(?m)^\| ` + name + ` \|.*$`).FindString(markdown.String())
		plain := regexp.MustCompile(`(?m)^ +` + name + ` .*$`).FindString(text.String())
		suite := regexp.MustCompile(`(?s)<testsuite [^>]*name="load: ` + name + ` \([^"]*\)".*?</properties>`).FindString(junit)
		for i, p := range o.Response.list() {
			shown := Milliseconds(p.Nanoseconds)
			number := strings.TrimSuffix(shown, " ms")
			require.Contains(t, row, `<td class="number">`+number+`</td>`, "page, %s %s", name, p.Word)
			require.Contains(t, line, "| "+shown+" |", "Markdown")
			require.Contains(t, plain, " "+number, "terminal")
			require.Contains(t, suite, `name="response.`+p.Key+`" value="`+shown+`"`, "JUnit")
			require.Contains(t, metrics.String(), `,operation="`+name+`",quantile="`+p.Quantile+`"} `+seconds(p.Nanoseconds)+"\n", "OpenMetrics")
			require.Equal(t, shown, Milliseconds(back.Operations[name].Response.list()[i].Nanoseconds), "JSON")
		}
		require.Contains(t, row, `<td class="number">`+Percent(o.Right, o.Sent)+`</td>`)
		require.Contains(t, line, "| "+Percent(o.Right, o.Sent)+" |")
		require.Contains(t, metrics.String(), `agstest_requests_wrong{environment="staging",service="Operator SSO",tenant="nagra",operation="`+name+`"} `+strconv.FormatInt(o.Wrong, 10)+"\n")
		require.Contains(t, suite, `name="wrong" value="`+Count(o.Wrong)+`"`)
	}
}
