package environment

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCoverageIsRead(t *testing.T) {
	for _, c := range []struct {
		written string
		want    Wanted
		wrong   string // what the message says; empty: it is right
	}{
		{`90%`, Wanted{Percent: 90}, ""},
		{`"12.5 %"`, Wanted{Percent: 12.5}, ""},
		{`active`, Wanted{Situations: []string{"active"}}, ""},
		{`active, vpn`, Wanted{Situations: []string{"active", "vpn"}}, ""},
		{`[active, vpn]`, Wanted{Situations: []string{"active", "vpn"}}, ""},
		{"\n  - active\n  - 80%", Wanted{Percent: 80, Situations: []string{"active"}}, ""},
		{``, Wanted{}, ""},
		{`""`, Wanted{}, "f.yaml:2: coverage must be a share"},
		{`[]`, Wanted{}, "f.yaml:2: coverage must be a share"},
		{`0.9`, Wanted{}, `f.yaml:2: coverage must be a share of the documented requirements such as 90%, or situations such as [active, vpn], not "0.9"; did you mean 90%?`},
		{`90`, Wanted{}, `f.yaml:2: coverage must be a share of the documented requirements such as 90%, or situations such as [active, vpn], not "90"; did you mean 90%?`},
		{`0%`, Wanted{}, `f.yaml:2: coverage must be a share above 0% and at most 100%, such as 90%, not "0%"`},
		{`101%`, Wanted{}, `f.yaml:2: coverage must be a share above 0% and at most 100%, such as 90%, not "101%"`},
		{`-5%`, Wanted{}, "f.yaml:2: coverage must be a share above"},
		{`NaN%`, Wanted{}, "f.yaml:2: coverage must be a share above"},
		{`all`, Wanted{}, "f.yaml:2: coverage must be a share"},
		{`none`, Wanted{}, "f.yaml:2: coverage must be a share"},
		{`actve`, Wanted{}, "did you mean active?"},
		{"\n  - active\n  - vnp", Wanted{}, "f.yaml:4: coverage must be a share of the documented requirements such as 90%, or situations such as [active, vpn], not \"vnp\"; did you mean vpn?"},
		{`[active, active]`, Wanted{}, "f.yaml:2: coverage names active twice"},
		{`[90%, 80%]`, Wanted{}, "f.yaml:2: coverage gives two shares"},
		{`{active: 1}`, Wanted{}, "f.yaml:2: coverage must be a single value"},
		{`[[active]]`, Wanted{}, "f.yaml:2: coverage must be a single value"},
	} {
		t.Run(c.written, func(t *testing.T) {
			e, err := Parse([]byte("url: http://127.0.0.1:1\ncoverage: "+c.written+"\n"), "f.yaml", ".", func(string) (string, bool) { return "", false })
			if c.wrong != "" {
				require.ErrorContains(t, err, c.wrong)
				return
			}
			require.NoError(t, err)
			wanted, err := e.Coverage.Wanted()
			require.NoError(t, err)
			assert.Equal(t, c.want, wanted)
		})
	}
}
