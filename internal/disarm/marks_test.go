package disarm

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMarksAreFoundBesideOthersAndBesideAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"::section_start:1:x":                ":·:section·_start:1:x",
		"###[error]":                         "##·#[error]",
		"##[::warning::x":                    "#·#[:·:warning:·:x",
		"[fd00::a]:80":                       "[fd00::a]:80",
		"[fe80::1%eth0]":                     "[fe80::1%eth0]",
		"[::notice::x":                       "[:·:notice:·:x",
		"[::1 ::error":                       "[::1 :·:error",
		"[::1] [::add-mask":                  "[::1] [:·:add-mask",
		":::debug":                           "::·:debug",
		"Travis_Time:a travis_other:b":       "Travis·_Time:a travis_other:b",
		"section_end section_ends:":          "section_end section_ends:",
		"##" + strings.Repeat("a", 64) + "[": "#·#" + strings.Repeat("a", 64) + "[",
		"##" + strings.Repeat("a", 65) + "[": "##" + strings.Repeat("a", 65) + "[",
	} {
		assert.Equal(t, want, Text(text), "%q", text)
	}
}

// BenchmarkJSON is of a report of some megabytes, most of which is plain.
func BenchmarkJSON(b *testing.B) {
	report := []byte(`{"a":[` + strings.Repeat(`{"name":"x-correlation-id","value":"agstest-0a1b2c3d_4"},`+"\n", 60_000) + `null]}`)
	b.SetBytes(int64(len(report)))
	for b.Loop() {
		JSON(report)
	}
}
