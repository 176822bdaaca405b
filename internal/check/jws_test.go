package check

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The example of RFC 7515 appendix A.1.
const rfc7515A1 = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9" +
	".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ" +
	".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

func TestParseJWSReadsRFC7515A1(t *testing.T) {
	jws, err := ParseJWS(rfc7515A1)
	require.NoError(t, err)
	assert.Equal(t, "JWT", jws.Header.Get("typ").String())
	assert.Equal(t, "HS256", jws.Header.Get("alg").String())
	assert.Equal(t, "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}", string(jws.Payload))
	claims, err := jws.Claims()
	require.NoError(t, err)
	assert.Equal(t, "joe", claims.Get("iss").String())
	exp, _ := claims.Get("exp").Int()
	assert.EqualValues(t, 1300819380, exp)

	key, err := base64.RawURLEncoding.DecodeString("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
	require.NoError(t, err)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(rfc7515A1[:strings.LastIndexByte(rfc7515A1, '.')]))
	assert.Equal(t, mac.Sum(nil), jws.Signature)
}

func TestParseJWSRefuses(t *testing.T) {
	const header, payload, signature = "eyJhbGciOiJIUzI1NiJ9", "eyJ0eXAiOiJEZXZBdXRoTiJ9", "AAAA"
	b64 := base64.RawURLEncoding.EncodeToString
	for name, c := range map[string]struct{ compact, want string }{
		"empty":                  {"", "a compact JWS has 3 segments, this has 1"},
		"two segments":           {header + "." + payload, "a compact JWS has 3 segments, this has 2"},
		"JWE":                    {strings.Repeat(header+".", 4) + header, "a compact JWS has 3 segments, this has 5"},
		"padded header":          {b64([]byte(`{"alg": "HS256"}`)) + "==." + payload + "." + signature, "the header is not base64url: it is padded"},
		"padded signature":       {header + "." + payload + ".AAA=", "the signature is not base64url: it is padded"},
		"plain base64":           {header + "." + payload + ".+/AA", "the signature is not base64url: it has the alphabet of plain base64"},
		"line break":             {header + "." + payload + ".AA\nAAA", "the signature is not base64url: it has a character outside the alphabet"},
		"blank before":           {" " + header[1:] + "." + payload + "." + signature, "the header is not base64url: it has a character outside the alphabet"},
		"impossible length":      {header + "." + payload + ".AAAAA", "the signature is not base64url: its length is impossible"},
		"stray bits":             {header + "." + payload + ".AB", "the signature is not base64url: its unused bits are not zero"},
		"empty header":           {"." + payload + "." + signature, "the header is not clean JSON: there is no JSON at byte 0"},
		"header an array":        {b64([]byte(`[]`)) + "." + payload + "." + signature, "the header is a JSON array, not an object"},
		"header twice the alg":   {b64([]byte(`{"alg":"none","alg":"HS256"}`)) + "." + payload + "." + signature, `the header is not clean JSON: the member "alg" is there twice at byte 14`},
		"header and more":        {b64([]byte(`{"alg":"HS256"} x`)) + "." + payload + "." + signature, "the header is not clean JSON: something stands after the end of the JSON at byte 16"},
		"critical extension":     {b64([]byte(`{"alg":"HS256","crit":["exp"],"exp":1}`)) + "." + payload + "." + signature, "the header names critical extensions (crit) that the documentation does not know"},
		"empty list of critical": {b64([]byte(`{"alg":"HS256","crit":[]}`)) + "." + payload + "." + signature, "the header names critical extensions (crit) that the documentation does not know"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseJWS(c.compact)
			assert.EqualError(t, err, c.want)
		})
	}
	for name, c := range map[string]struct{ payload, want string }{
		"claim twice":   {`{"exp":1,"exp":2}`, `the payload is not clean JSON: the member "exp" is there twice at byte 9`},
		"no JSON":       {`exp=1`, "the payload is not clean JSON: no JSON value begins at byte 0"},
		"string":        {`"x"`, "the payload is a JSON string, not an object"},
		"empty payload": {``, "the payload is not clean JSON: there is no JSON at byte 0"},
	} {
		t.Run(name, func(t *testing.T) {
			jws, err := ParseJWS(header + "." + b64([]byte(c.payload)) + "." + signature)
			require.NoError(t, err)
			_, err = jws.Claims()
			assert.EqualError(t, err, c.want)
		})
	}
}

// The way through whole groups takes what the library takes, but for line breaks.
func TestBase64URLIsReadAsTheLibraryReadsIt(t *testing.T) {
	decoded := func(in string) (string, bool) {
		out, ok := appendBase64URL([]byte("before"), []byte(in))
		return string(out), ok
	}
	for in, want := range map[string]string{"": "", "QQ": "A", "QUI": "AB", "QUJD": "ABC", "-_-_QUJD": "\xfb\xff\xbfABC"} {
		out, ok := decoded(in)
		assert.True(t, ok, in)
		assert.Equal(t, "before"+want, out)
	}
	for _, in := range []string{"Q", "QQ==", "QR", "QUJ", "QU\nJD", "QUJD\n", "\rQUJD", "QUJD+QUJ", "QUJDQU/D", "=UJDQUJD", "QUJDQ\x80JD"} {
		_, ok := decoded(in)
		assert.False(t, ok, "%q", in)
	}
	rapid.Check(t, func(t *rapid.T) {
		in := []byte(base64.RawURLEncoding.EncodeToString(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bytes")))
		for range rapid.IntRange(0, 2).Draw(t, "changes") {
			if len(in) > 0 {
				in[rapid.IntRange(0, len(in)-1).Draw(t, "at")] = rapid.OneOf(rapid.SampledFrom([]byte("AZaz09-_+/=.")), rapid.Byte()).Draw(t, "by")
			}
		}
		want, err := base64.RawURLEncoding.Strict().DecodeString(string(in))
		out, ok := appendBase64URL(nil, in)
		wanted := err == nil && !strings.ContainsAny(string(in), "\r\n")
		require.Equal(t, wanted, ok, "%q", in)
		if wanted {
			require.Equal(t, string(want), string(out), "%q", in)
		}
	})
}

// A token that RFC 8725 warns of can be read, so that Judge can report it: alg none with its empty signature (section
// 3.1).
func TestParseJWSReadsUnsecured(t *testing.T) {
	jws, err := ParseJWS("eyJhbGciOiJub25lIn0.eyJ0eXAiOiJEZXZBdXRoTiJ9.")
	require.NoError(t, err)
	assert.Equal(t, "none", jws.Header.Get("alg").String())
	assert.Empty(t, jws.Signature)
}

func FuzzParseJWS(f *testing.F) {
	f.Add(rfc7515A1)
	f.Add("eyJhbGciOiJub25lIn0.eyJ0eXAiOiJEZXZBdXRoTiJ9.")
	f.Add("a.b.c")
	f.Add("..")
	f.Add("eyJhbGciOiJIUzI1NiJ9.eyJ0eXAiOiJEZXZBdXRoTiJ9.AB==")
	f.Fuzz(func(t *testing.T, compact string) {
		jws, err := ParseJWS(compact)
		if err != nil {
			return
		}
		// Strict base64url has one encoding: what was read encodes to what was there.
		parts := strings.Split(compact, ".")
		for i, b := range [][]byte{nil, jws.Payload, jws.Signature} {
			if i > 0 && base64.RawURLEncoding.EncodeToString(b) != parts[i] {
				t.Fatalf("segment %d is not the encoding of what was read", i)
			}
		}
		jws.Claims()
	})
}
