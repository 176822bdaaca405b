package environment

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAbsentParts(t *testing.T) {
	parse := func(text string) (*Environment, error) {
		return Parse([]byte("url: http://127.0.0.1:1\n"+text), "env.yaml", t.TempDir(), func(string) (string, bool) { return "geo", true })
	}
	for text, want := range map[string]string{
		"absent: register":      "absent must be a list",
		"absent: [regster]":     "regster is no part; did you mean register?",
		"absent: [geo, geo]":    "geo is given twice",
		"absent: [\"${NAME}\"]": "takes no ${NAME}; write out which parts",
		"absent: [geo]\nsituations: {vpn: {headers: {X: y}}}":                                          "situations.vpn: needs geo, which absent says that the platform does not have",
		"absent: [register]\nallow: {register: true}":                                                  "allow.register: allows what absent says that the platform does not have",
		"absent: [multi-account]\nsituations: {multi-registration: {type: tvkey, parameters: {u: v}}}": "needs multi-account",
	} {
		_, err := parse(text)
		assert.ErrorContains(t, err, want, text)
	}
	e, err := parse("absent: [geo, register]\n")
	require.NoError(t, err)
	for _, a := range e.Abilities() {
		absent := map[string]bool{"geo-blocked": true, "vpn": true, "registration": true, "multi-registration": true, "allow.register": true}[a.Name]
		assert.Equal(t, absent, a.Absent, a.Name)
		assert.False(t, a.Absent && a.Offered)
	}
}
