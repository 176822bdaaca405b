package reports_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/export"
	"agstest/reports/html"
	"agstest/reports/text"
)

func stored(t require.TestingT, v any) []byte {
	var b bytes.Buffer
	require.NoError(t, reports.WriteJSON(&b, v))
	return b.Bytes()
}

func TestJSONGolden(t *testing.T) {
	golden(t, "conformance.json", stored(t, smallConformance()))
	golden(t, "load.json", stored(t, sampleLoad(2, 3)))
}

func TestStoredRunsAreReadBack(t *testing.T) {
	c, err := reports.ReadConformance(bytes.NewReader(stored(t, sampleConformance())))
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(stored(t, sampleConformance()), stored(t, c)))
	l, err := reports.ReadLoad(bytes.NewReader(stored(t, sampleLoad(3, 20))))
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(stored(t, sampleLoad(3, 20)), stored(t, l)))
	var g reports.Gate
	require.NoError(t, reports.ReadAs(bytes.NewReader(stored(t, sampleGate())), reports.GateSchema, &g))
	require.Empty(t, cmp.Diff(stored(t, sampleGate()), stored(t, &g)))
}

func TestStoredRunsOfOtherVersions(t *testing.T) {
	for name, each := range map[string]struct{ text, wrong string }{
		"a later minor version with more members": {`{"schema":"agstest.conformance/1.7","verdict":"pass","news":{"a":[1]},"requirements":[{"id":"X","colour":"red"}]}`, ""},
		"a byte order mark":                       {"\ufeff" + `{"schema":"agstest.conformance/1.0","verdict":"pass"}`, ""},
		"a verdict of a later version":            {`{"schema":"agstest.conformance/1.9","verdict":"splendid"}`, ""},
		"another major version":                   {`{"schema":"agstest.conformance/2.0","verdict":"pass"}`, `the stored run is "agstest.conformance/2.0"; this version reads agstest.conformance/1.x only: use the version of agstest that wrote it`},
		"another kind":                            {`{"schema":"agstest.load/1.0","verdict":"pass"}`, `the stored run is "agstest.load/1.0", wanted "agstest.conformance/1.0"`},
		"no schema":                               {`{"verdict":"pass"}`, `the stored run has no member "schema": it was not written by agstest`},
		"a strange schema":                        {`{"schema":"agstest.conformance/one","verdict":"pass"}`, `the stored run has a member "schema" that is not of the form kind/major.minor`},
		"no verdict":                              {`{"schema":"agstest.conformance/1.0"}`, `the stored conformance run has no verdict`},
		"text after it":                           {`{"schema":"agstest.conformance/1.0","verdict":"pass"} x`, `the stored run is not JSON as agstest writes it: invalid character 'x' after top-level value`},
		"cut off":                                 {`{"schema":"agstest.conformance/1.0","verdict":"pa`, `the stored run is not JSON as agstest writes it: unexpected end of JSON input`},
		"empty":                                   {``, `the stored run is not JSON as agstest writes it: unexpected end of JSON input`},
		"a list for a text":                       {`{"schema":"agstest.conformance/1.0","verdict":["pass"]}`, `the stored run does not have the form of agstest.conformance/1.0: json: cannot unmarshal array into Go struct field Conformance.verdict of type reports.Verdict`},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := reports.ReadConformance(strings.NewReader(each.text))
			if each.wrong != "" {
				require.EqualError(t, err, each.wrong)
				return
			}
			require.NoError(t, err)
			require.NoError(t, html.Conformance(io.Discard, c, html.Style{}))
		})
	}
	t.Run("an operation without figures", func(t *testing.T) {
		_, err := reports.ReadLoad(strings.NewReader(`{"schema":"agstest.load/1.0","verdict":"pass","operations":{"refresh":null}}`))
		require.EqualError(t, err, `operation "refresh" of the stored load run has no figures`)
	})
}

// endless is a file without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestStoredRunsAreReadToABound(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short leaves reading 256 MiB out")
	}
	_, err := reports.ReadLoad(endless{})
	require.EqualError(t, err, "the stored run is larger than 256 MiB")
}

// everyFormat renders in all formats, for those that only must not fail or panic.
func everyFormat(t require.TestingT, c *reports.Conformance, l *reports.Load) {
	for _, err := range []error{
		export.JUnit(io.Discard, c, l), text.Markdown(io.Discard, c, l), export.OpenMetrics(io.Discard, c, l), text.Terminal(io.Discard, c, l, true),
		export.Annotations(io.Discard, "github", c, l), export.Annotations(io.Discard, "gitlab", c, l), export.Annotations(io.Discard, "azure", c, l),
		html.Gate(io.Discard, &reports.Gate{Verdict: reports.Fail, Conformance: c, Load: l}, html.Style{}),
	} {
		require.NoError(t, err)
	}
	if c != nil {
		require.NoError(t, export.Cucumber(io.Discard, c, nil))
		require.NoError(t, export.Messages(io.Discard, c, nil))
	}
}

func FuzzReadConformance(f *testing.F) {
	f.Add(stored(f, smallConformance()))
	f.Add([]byte(`{"schema":"agstest.conformance/1.0","verdict":"pass","requirements":[{}],"scenarios":[{"transcript":[{}],"findings":[{"exchange":7}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := reports.ReadConformance(bytes.NewReader(data))
		if err != nil {
			return
		}
		everyFormat(t, c, nil)
		if err := junitRules(junitOf(t, c, nil)); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzReadLoad(f *testing.F) {
	f.Add(stored(f, sampleLoad(2, 3)))
	f.Add([]byte(`{"schema":"agstest.load/1.0","verdict":"pass","operations":{"a":{"curve":[{"q":2,"ns":-1}],"response":{"count":99999999999,"p50":-9223372036854775808}}},"seconds":[{"at":9223372036854775807,"operation":"a"},{"at":-9223372036854775808,"operation":"a","right":1,"max":9223372036854775807}]}`))
	f.Add([]byte(`{"schema":"agstest.load/1.0","verdict":"pass","capacity":{"rate":1e308,"points":[{"rate":1e308,"p50":1},{"rate":-1e308}]},"storm":{"recovered":-1}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := reports.ReadLoad(bytes.NewReader(data))
		if err != nil {
			return
		}
		everyFormat(t, nil, l)
		if err := junitRules(junitOf(t, nil, l)); err != nil {
			t.Fatal(err)
		}
	})
}
