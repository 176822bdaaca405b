package load

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// testToken is a compact JWS with the claims of a refresh token; the signature is made of the seed.
func testToken(kind, account, device, jti string, exp int64) string {
	encode := base64.RawURLEncoding.EncodeToString
	payload := fmt.Sprintf(`{"ver":"1.0","tenantId":"nagra","sessionControl":{"maxSessions":3,"sessionControlEnabled":true},"accountProfileId":"DEFAULT",`+
		`"deviceId":%q,"fixed_exp":%d,"exp":%d,"accountId":%q,"jti":%q,"userId":%q,"typ":%q}`, device, exp+2419200, exp, account, jti, account, kind)
	signature := sha256.Sum256([]byte(payload))
	return encode([]byte(`{"kid":"259629","alg":"HS256","typ":"JWT"}`)) + "." + encode([]byte(payload)) + "." + encode(signature[:])
}

func TestSealedTokensComeBackAsTheyWere(t *testing.T) {
	tokens := map[string]string{
		"first":                   testToken("RefreshAuthN", "1663", "PUB_989", "4789023423714089478", 1655046293),
		"other claims":            testToken("RefreshAuthN", "L17", "LOAD_17", "1", 1655049999),
		"same again":              testToken("RefreshAuthN", "1663", "PUB_989", "4789023423714089478", 1655046293),
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
	s.seal(nil, []byte(testToken("RefreshAuthN", "L1", "LOAD_1", "4789023423714089478", 1655046293)))
	token := testToken("RefreshAuthN", "L234567", "LOAD_234567", "5789023423714089471", 1655047777)
	sealed := s.seal(nil, []byte(token))
	assert.Greater(t, len(token), 450)
	assert.Less(t, len(sealed), 200)
}

func TestSealerRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s sealer
		words := rapid.SampledFrom([]string{"eyJh", "e30", "YWJj", ".", ",", "\n", "=", "é", "MSwyLDM"})
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
	token := []byte(testToken("RefreshAuthN", "L234567", "LOAD_234567", "5789023423714089471", 1655047777))
	var sealed, opened []byte
	b.ReportAllocs()
	for b.Loop() {
		sealed = s.seal(sealed[:0], token)
		opened = s.open(opened[:0], sealed)
	}
}
