package environment

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOperatorKeys(t *testing.T) {
	read := func(text, secret string) (*Environment, error) {
		return Parse([]byte("url: https://ags.example\noperator: {secret: \"${S}\""+text+"}\n"), "env.yaml", ".", variables("S", secret))
	}
	for _, test := range []struct{ more, secret, key string }{
		{"", "plain", "plain"},
		{", encoding: text", "plain", "plain"},
		{", encoding: hex", "00fFa0", "\x00\xff\xa0"},
		{", encoding: base64", "AP+/+g==", "\x00\xff\xbf\xfa"},
		{", encoding: base64", "AP-_-g", "\x00\xff\xbf\xfa"},
	} {
		e, err := read(test.more, test.secret)
		require.NoError(t, err)
		keys, err := e.Operator.Keys()
		require.NoError(t, err)
		require.Len(t, keys, 1)
		assert.Equal(t, test.key, string(keys[0].Secret))
		assert.Equal(t, "HS256", keys[0].Algorithm)
	}
	e, err := read("", "plain")
	require.NoError(t, err)
	assert.Equal(t, 5*time.Minute, e.Operator.Life())
	e, err = read(", alg: HS512, lifetime: 1m", "hidden-plain")
	require.NoError(t, err)
	assert.Equal(t, "HS512", e.Operator.Algorithm)
	assert.Equal(t, time.Minute, e.Operator.Life())
	require.NotEmpty(t, e.Warnings())
	assert.Contains(t, e.Warnings()[0], "env.yaml:2: operator.secret has 12 bytes; HS512 wants at least 64")
	for text, want := range map[string]string{
		", encoding: hex":                        "env.yaml:2: operator.secret: is no text in hexadecimal digits",
		", encoding: base64":                     "env.yaml:2: operator.secret: is no text in base64",
		", encoding: utf":                        "env.yaml:2: operator.encoding: must be one of text, base64, hex",
		", alg: RS512":                           "env.yaml:2: operator.alg: is RS512; it must be one of HS256, HS384, HS512, RS256, ES256",
		", alg: RS256":                           "env.yaml:2: operator.secret: is for HS256, HS384 and HS512; RS256 signs with a private key",
		", key: a.pem":                           "env.yaml:2: operator.key: needs alg: RS256 or ES256",
		", keys: {k: {alg: ES256}}":              "env.yaml:2: operator.keys.k: needs secret, or key with alg: RS256 or ES256",
		", keys: {k: {alg: ES256, key: no.pem}}": "env.yaml:2: operator.keys.k.key: cannot read",
		", kid: k, keys: {k: {secret: other}}":   "env.yaml:2: operator.keys.k: is the kid of the first key too",
		", header: nv-tenant-id":                 "env.yaml:2: operator.header: nv-tenant-id carries something else (tenant)",
		", header: X-A, parameter: b":            "env.yaml:2: operator.header: carries the token in place of a parameter",
		", url: ftp://x":                         "env.yaml:2: operator.url: must be an address that starts with https:// or http://",
		", tls: {cert: no.pem}":                  "tls.cert: a client certificate needs its key too",
		", lifetime: 2d":                         "must be a time with its unit",
		", lifetime: 48h":                        "env.yaml:2: operator.lifetime: must be between 1s and 24h",
	} {
		_, err := read(text, "hidden-plain!")
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "hidden")
	}
}

// TestClaimsThatCannotWork are refused: each claim has one place that says it.
func TestClaimsThatCannotWork(t *testing.T) {
	for said, want := range map[string]string{
		"claimNames: {account: a, tenant: a}":             "gives account and tenant the same name",
		"claimNames: {account: aud}":                      "aud is a claim of its own",
		"claims: {exp: 12}":                               "must not hold the claims of account and tenant and exp",
		"claims: {OpfAccountId: 12}":                      "must not hold the claims of account and tenant and exp",
		"claimNames: {tenant: realm}, claims: {realm: x}": "must not hold the claims of account and tenant and exp",
		`claims: {jti: "{uuid}"}`:                         "knows {now} and {unique}, not {uuid}",
		"claims: [a]":                                     "operator.claims must be keys with values",
		"claims: {iss: \"${NAME}\"}":                      "${NAME} is not read here",
	} {
		_, err := Parse([]byte("url: http://127.0.0.1:1\noperator: {secret: \"0123456789abcdef0123456789abcdef\", "+said+"}\n"), "env.yaml", t.TempDir(), func(string) (string, bool) { return "x", true })
		assert.ErrorContains(t, err, want, said)
	}
}

// TestPrivateKeysOfAnOperator are read in the forms that tools write, and refused with what is wrong with them. Their
// signatures hold.
func TestPrivateKeysOfAnOperator(t *testing.T) {
	dir := t.TempDir()
	save := func(name, kind string, der []byte, err error) {
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	save("rsa1.pem", "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey), nil)
	der, err := x509.MarshalPKCS8PrivateKey(rsaKey)
	save("rsa8.pem", "PRIVATE KEY", der, err)
	der, err = x509.MarshalECPrivateKey(p256)
	save("p256.pem", "EC PRIVATE KEY", der, err)
	der, err = x509.MarshalECPrivateKey(p384)
	save("p384.pem", "EC PRIVATE KEY", der, err)
	save("locked.pem", "ENCRYPTED PRIVATE KEY", []byte("x"), nil)
	read := func(said string) (*Environment, error) {
		return Parse([]byte("url: http://127.0.0.1:1\noperator: {"+said+"}\n"), "env.yaml", dir, variables("S", "x"))
	}
	e, err := read("alg: RS256, key: rsa1.pem, kid: a, keys: {b: {alg: RS256, key: rsa8.pem}, c: {alg: ES256, key: p256.pem}}, account: 'OPF-{accountId}'")
	require.NoError(t, err)
	keys, err := e.Operator.Keys()
	require.NoError(t, err)
	require.Len(t, keys, 3)
	for i, want := range []struct {
		id     string
		method jwt.SigningMethod
		public any
	}{{"a", jwt.SigningMethodRS256, &rsaKey.PublicKey}, {"b", jwt.SigningMethodRS256, &rsaKey.PublicKey}, {"c", jwt.SigningMethodES256, &p256.PublicKey}} {
		assert.Equal(t, want.id, keys[i].ID)
		signature, err := keys[i].Sign("head.body")
		require.NoError(t, err)
		assert.NoError(t, want.method.Verify("head.body", signature, want.public))
		other, err := keys[i].Other("x")
		require.NoError(t, err)
		signature, err = other.Sign("head.body")
		require.NoError(t, err)
		assert.Error(t, want.method.Verify("head.body", signature, want.public))
		confused, err := keys[i].Confused()
		require.NoError(t, err)
		assert.Equal(t, "HS256", confused.Algorithm)
	}
	assert.Equal(t, "OPF-1663", e.Operator.AccountFor("", "1663"))
	assert.Equal(t, "own", e.Operator.AccountFor("own", "1663"))
	assert.Empty(t, e.Operator.AccountFor("", ""))
	assert.Empty(t, e.Operator.OwnAccount())
	for said, want := range map[string]string{
		"alg: RS256, key: p256.pem":   "operator.key: cannot be read: " + filepath.Join(dir, "p256.pem") + " holds no private RSA key",
		"alg: ES256, key: rsa8.pem":   "holds no private key in PEM form of the curve P-256",
		"alg: ES256, key: p384.pem":   "holds no private key in PEM form of the curve P-256",
		"alg: RS256, key: locked.pem": "the key in " + filepath.Join(dir, "locked.pem") + " is encrypted",
		"alg: RS256":                  "operator: needs key: the file of the private key",
	} {
		_, err := read(said)
		assert.ErrorContains(t, err, want, said)
	}
}
