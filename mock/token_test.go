package mock

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The example of RFC 7515 appendix A.1, with the white space that it signs.
const (
	rfcToken = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9" +
		".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ" +
		".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	rfcKey = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
)

func rfcSigner(t *testing.T) *signer {
	key, err := base64.RawURLEncoding.DecodeString(rfcKey)
	require.NoError(t, err)
	return newSigner("HS256", "", key)
}

func TestVerifyTheExampleOfRFC7515(t *testing.T) {
	s := rfcSigner(t)
	noKeyID := func(err error) bool { return err == errKeyID }
	var found struct {
		Issuer string `json:"iss"`
		Exp    int64  `json:"exp"`
		Root   bool   `json:"http://example.com/is_root"`
	}
	require.NoError(t, s.verify(rfcToken, &found, noKeyID))
	assert.Equal(t, "joe", found.Issuer)
	assert.Equal(t, int64(1300819380), found.Exp)
	assert.True(t, found.Root)

	parts := strings.Split(rfcToken, ".")
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for name, test := range map[string]struct {
		token string
		want  error
	}{
		"key id missing":        {rfcToken, errKeyID},
		"signature changed":     {parts[0] + "." + parts[1] + ".eBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", errSignature},
		"unused bits changed":   {strings.TrimSuffix(rfcToken, "k") + "l", errSignature},
		"signature cut":         {rfcToken[:len(rfcToken)-4], errSignature},
		"signature empty":       {parts[0] + "." + parts[1] + ".", errSignature},
		"payload changed":       {parts[0] + "." + encode(`{"iss":"eve"}`) + "." + parts[2], errSignature},
		"padded":                {rfcToken + "=", errSignature},
		"two parts":             {parts[0] + "." + parts[1], errNoToken},
		"four parts":            {rfcToken + ".x", errNoToken},
		"header no JSON":        {encode("alg") + "." + parts[1] + "." + parts[2], errNoToken},
		"header no base64":      {"e+J." + parts[1] + "." + parts[2], errNoToken},
		"alg none":              {encode(`{"alg":"none"}`) + "." + parts[1] + ".", errAlgorithm},
		"alg None":              {encode(`{"alg":"None"}`) + "." + parts[1] + ".", errAlgorithm},
		"alg HS512":             {encode(`{"alg":"HS512"}`) + "." + parts[1] + "." + parts[2], errAlgorithm},
		"alg missing":           {encode(`{}`) + "." + parts[1] + "." + parts[2], errAlgorithm},
		"critical extension":    {encode(`{"alg":"HS256","crit":["exp"]}`) + "." + parts[1] + "." + parts[2], errNoToken},
		"nothing":               {"", errNoToken},
		"dots":                  {"..", errNoToken},
		"payload not in base64": {parts[0] + ".!!." + parts[2], errNoToken},
	} {
		t.Run(name, func(t *testing.T) {
			var any map[string]json.RawMessage
			overlook := overlookNothing
			if test.want != errKeyID {
				overlook = noKeyID
			}
			assert.Equal(t, test.want, s.verify(test.token, &any, overlook))
		})
	}
}

func TestSignedTokensVerifyElsewhere(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		value := rapid.String().Draw(r, "value")
		algorithm := rapid.SampledFrom([]string{"HS256", "HS384", "HS512"}).Draw(r, "algorithm")
		s := newSigner(algorithm, "1", []byte("a key of at least thirty-two bytes"))
		compact := s.sign(s.header(), object{{"v", value}, {"n", int64(7)}, {"nothing", nil}})
		parsed, err := jwt.Parse(compact, func(*jwt.Token) (any, error) { return s.key, nil }, jwt.WithValidMethods([]string{algorithm}))
		require.NoError(t, err)
		assert.Equal(t, strings.ToValidUTF8(value, "\ufffd"), parsed.Claims.(jwt.MapClaims)["v"])
		var own struct{ V string }
		require.NoError(t, s.verify(compact, &own, overlookNothing))
	})
}

func TestJSONIsWrittenAsTheLibraryReadsIt(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.String().Draw(r, "text")
		for _, content := range [][]byte{appendJSON(nil, object{{text, []any{text, int64(-3), 2.5, false, nil, object{}}}}),
			escaped(appendJSON(nil, object{{text, []any{text, int64(-3), 2.5, false, nil, object{}}}}))} {
			var read map[string]any
			require.NoError(t, json.Unmarshal(content, &read), "%s", content)
			require.Equal(t, map[string]any{text: []any{text, -3.0, 2.5, false, nil, map[string]any{}}}, read)
		}
	})
}
