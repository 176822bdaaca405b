package clients

import (
	"testing"

	"agstest/load/lab"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSealedTokensComeBackAsTheyWere(t *testing.T) {
	tokens := map[string]string{
		"first":                   lab.Token("RefreshAuthN", "1663", "PUB_989", "4789023423714089478", 1655046293),
		"other claims":            lab.Token("RefreshAuthN", "L17", "LOAD_17", "1", 1655049999),
		"same again":              lab.Token("RefreshAuthN", "1663", "PUB_989", "4789023423714089478", 1655046293),
		"no token at all":         "load-17",
		"empty":                   "",
		"two segments":            "a.b",
		"empty segments":          "..",
		"line break in a segment": "eyJh.eyJ\nh.YWJj",
		"trailing bits set":       "eyJh.eyJhIjoxfR.YWJj",
		"padding":                 "eyJh.eyJh=.YWJj",
		"four segments":           "eyJh.eyJh.eyJh.YWJj",
		"no commas":               "eyJh.e30.YWJj",
		"dots only":               "....",
		"starts like a raw one":   "\xff",
	}
	var s sealer
	for name, token := range tokens {
		t.Run(name, func(t *testing.T) {
			sealed := s.seal(nil, []byte(token))
			assert.Equal(t, token, string(s.open(nil, sealed)))
		})
	}
	assert.Empty(t, s.open(nil, nil))
}

func TestSealedTokensAreSmall(t *testing.T) {
	var s sealer
	s.seal(nil, []byte(lab.Token("RefreshAuthN", "L1", "LOAD_1", "4789023423714089478", 1655046293)))
	token := lab.Token("RefreshAuthN", "L234567", "LOAD_234567", "5789023423714089471", 1655047777)
	sealed := s.seal(nil, []byte(token))
	assert.Greater(t, len(token), 450)
	assert.Less(t, len(sealed), 100)
}

func TestSealerRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s sealer
		words := rapid.SampledFrom([]string{"eyJh", "e30", "YWJj", ".", ",", "\n", "=", "é", "MSwyLDM", "MTIzNCwxMjM0NTY", "MTIzNTQ0LDEyMzk2NywxMjM0", "YTEyM2IsYTEyM2I"})
		for _, token := range rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			text := ""
			for _, word := range rapid.SliceOfN(words, 0, 8).Draw(t, "words") {
				text += word
			}
			return text
		}), 1, 60).Draw(t, "tokens") {
			require.Equal(t, token, string(s.open(nil, s.seal(nil, []byte(token)))))
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	var s sealer
	token := []byte(lab.Token("RefreshAuthN", "L234567", "LOAD_234567", "5789023423714089471", 1655047777))
	var sealed, opened []byte
	b.ReportAllocs()
	for b.Loop() {
		sealed = s.seal(sealed[:0], token)
		opened = s.open(opened[:0], sealed)
	}
}
