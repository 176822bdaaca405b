package environment

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
	"agstest/internal/wire"
)

func variables(pairs ...string) Lookup {
	return func(name string) (string, bool) {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

// The file of the project's documentation, whole.
const whole = `name: staging
url: https://api.staging.example.com/
tenant: nagra
service: Operator SSO
authorization: raw
clockSkew: 90s
headers: {X-Env: staging}
operator: {secret: "${AGS_OPERATOR_SECRET}", kid: "70646948", account: 1663}
situations:
  active:           {sessionToken: "${AGS_SESSION}", clientId: PUB_989, accountId: 0012}
  foreign-device:   {clientId: OTH_1}
  expired-refresh:  {refreshToken: "${AGS_OLD_REFRESH}"}
  geo-blocked:      {headers: {X-Forwarded-For: 203.0.113.7}}
  vpn:              {proxy: "http://user:pr0xyPass@127.0.0.1:3128"}
  credentials:      {parameters: {username: dave, password: "a$$b${AGS_PASSWORD}$c"}, clientId: PUB_989}
  registration:     {type: tvkey, parameters: {username: "${AGS_USER}"}}
allow: {first-time: true}
protected: true
load:
  clients: {count: 2000, sessionToken: "load-{n}", clientId: "LOAD_{n}", accountId: "L{n}"}
  maxRate: 500/s
`

func wholeVariables() Lookup {
	return variables("AGS_OPERATOR_SECRET", "operator-secret-1", "AGS_SESSION", "session-1", "AGS_OLD_REFRESH", "old-refresh", "AGS_PASSWORD", "pass: {w}", "AGS_USER", "dave-user")
}

func TestParseReadsEveryKey(t *testing.T) {
	e, err := Parse([]byte(whole), "staging.yaml", "/etc/ags", wholeVariables())
	require.NoError(t, err)
	want := &Environment{
		Name: "staging", URL: "https://api.staging.example.com", Tenant: "nagra", Service: "Operator SSO", Authorization: wire.Raw,
		ClockSkew: 90 * time.Second, Headers: map[string]string{"X-Env": "staging"},
		Operator: &Operator{Secret: "operator-secret-1", KeyID: "70646948", Account: "1663", Parameter: "OperatorAuthToken"},
		Situations: Situations{
			"active":          {SessionToken: "session-1", ClientID: "PUB_989", AccountID: "0012"},
			"foreign-device":  {ClientID: "OTH_1"},
			"expired-refresh": {RefreshToken: "old-refresh"},
			"geo-blocked":     {Headers: map[string]string{"X-Forwarded-For": "203.0.113.7"}},
			"vpn":             {Proxy: "http://user:pr0xyPass@127.0.0.1:3128"},
			"credentials":     {Parameters: map[string]string{"username": "dave", "password": "a$bpass: {w}$c"}, ClientID: "PUB_989"},
			"registration":    {Type: "tvkey", Parameters: map[string]string{"username": "dave-user"}},
		},
		Allow: Allow{FirstTime: true}, Protected: true, Lockout: 3,
		Load: Load{Clients: Clients{Count: 2000, SessionToken: "load-{n}", ClientID: "LOAD_{n}", AccountID: "L{n}"}, MaxRate: "500/s"},
	}
	if diff := cmp.Diff(want, e, cmpopts.IgnoreUnexported(Environment{})); diff != "" {
		t.Error(diff)
	}
	assert.Equal(t, []string{"operator-secret-1", "a$bpass: {w}$c", "old-refresh", "dave-user", "pass: {w}", "pr0xyPass", "session-1"}, e.Secrets())
	assert.Equal(t, 500.0, e.MaxRate())
	assert.Equal(t, 2.0, (&Environment{Load: Load{MaxRate: "120/m"}}).MaxRate())
	assert.Equal(t, 0.5, (&Environment{Load: Load{MaxRate: "1800/h"}}).MaxRate())
	assert.Zero(t, (&Environment{}).MaxRate())
}

func TestParseGivesDefaults(t *testing.T) {
	e, err := Parse([]byte("url: http://127.0.0.1:8080\nmock: {url: \"http://127.0.0.1:8081\", token: control-token}\n"), "dir/local.yaml", "/x", variables())
	require.NoError(t, err)
	assert.Equal(t, "local", e.Name)
	assert.Equal(t, wire.Bearer, e.Authorization)
	assert.Equal(t, 120*time.Second, e.ClockSkew)
	assert.Equal(t, []string{"control-token"}, e.Secrets())
	assert.Empty(t, e.Warnings(), "the mock's own secrets are throw-away values")
	target, err := e.Target()
	require.NoError(t, err)
	assert.Equal(t, wire.Target{URL: "http://127.0.0.1:8080", Authorization: wire.Bearer}, target)
}

func TestParseRefusesWithLineAndAdvice(t *testing.T) {
	const head = "url: https://ags.example\n"
	tests := []struct {
		name, text, want string
	}{
		{"unknown key", head + "tennant: nagra\n", `env.yaml:2: unknown key "tennant"; did you mean tenant?`},
		{"unknown key below", head + "situations:\n  active: {clientID: x}\n", `env.yaml:3: unknown key "clientID" in situations.active; did you mean clientId?`},
		{"unknown key far from any", head + "zzzzzzzzzz: 1\n", `env.yaml:2: unknown key "zzzzzzzzzz"; known are: name, url, tenant`},
		{"unknown situation", head + "situations:\n  suspended: {clientId: x}\n", `env.yaml:3: unknown situation "suspended"; did you mean suspended-account?`},
		{"unset variable", head + "tenant: ${AGS_TENANT}\n", "env.yaml:2: tenant needs the environment variable AGS_TENANT, which is not set; set it: export AGS_TENANT=…"},
		{"empty variable", head + "tenant: ${EMPTY}\n", "env.yaml:2: tenant needs the environment variable EMPTY, which is empty"},
		{"malformed variable", head + "tenant: ${a-b}\n", "env.yaml:2: tenant: ${ must be followed by the name of an environment variable"},
		{"open variable", head + "tenant: \"${AGS\"\n", "env.yaml:2: tenant: ${ must be followed by the name of an environment variable"},
		{"no url", "name: x\n", "env.yaml:1: url is missing"},
		{"url without scheme", "url: ags.example\n", "env.yaml:1: url: must be an address that starts with https:// or http://"},
		{"url with path of the service", "url: https://ags.example/ags\n", "env.yaml:1: url: leave /ags out"},
		{"url with query", "url: https://ags.example/?a=b\n", "env.yaml:1: url: must end before ? and #"},
		{"url with password", "url: https://u:hunter2@ags.example\n", "env.yaml:1: url: must not hold a user name or password"},
		{"url with wrong port", "url: https://ags.example:99999\n", "env.yaml:1: url: the port must be between 1 and 65535"},
		{"empty file", "# nothing\n", "env.yaml is empty; it needs at least url"},
		{"list", "- a\n", "env.yaml:1: an environment file must be keys with values, such as name: …"},
		{"two documents", head + "---\nurl: https://b.example\n", "env.yaml:3: a second YAML document starts here"},
		{"broken yaml", head + "tenant: \"abc\n", "env.yaml:2: this is not valid YAML: could not find end character of double-quoted text"},
		{"tab", head + "\ttenant: x\n", "env.yaml:2: this is not valid YAML:"},
		{"key twice", head + "tenant: a\ntenant: b\n", "env.yaml:3: this is not valid YAML: mapping key \"tenant\" already defined"},
		{"anchor", head + "tenant: &a x\n", "env.yaml: line 2: anchors, aliases"},
		{"text for a group", head + "operator: secret\n", "env.yaml:2: operator must be keys with values, such as secret: …"},
		{"group for text", head + "tenant: {a: b}\n", "env.yaml:2: tenant must be a single value"},
		{"list for text", head + "tenant: [a]\n", "env.yaml:2: tenant must be a single value"},
		{"authorization", head + "authorization: berer\n", "env.yaml:2: authorization: must be bearer or raw; did you mean bearer?"},
		{"duration without unit", head + "clockSkew: 120\n", "env.yaml:2: clockSkew must be a time with its unit, such as 120s or 2m"},
		{"duration of the wrong unit", head + "clockSkew: 120ms\n", "env.yaml:2: clockSkew: must be between 1s and 1h"},
		{"duration too long", head + "clockSkew: 3h\n", "env.yaml:2: clockSkew: must be between 1s and 1h"},
		{"bool in words", head + "protected: maybe\n", "env.yaml:2: protected must be true or false"},
		{"count in words", head + "load:\n  clients:\n    count: many\n", "env.yaml:4: load.clients.count must be a whole number"},
		{"count fraction", head + "load:\n  clients:\n    count: 1.5\n", "env.yaml:4: load.clients.count must be a whole number"},
		{"count zero", head + "load:\n  clients: {clientId: \"a{n}\"}\n", "env.yaml:3: load.clients.count: must be at least 1"},
		{"pattern without n", head + "load:\n  clients: {count: 3, clientId: a}\n", "load.clients.clientId: needs {n}, which becomes 1 to 3"},
		{"rate without unit", head + "load: {maxRate: 500}\n", "env.yaml:2: load.maxRate: must be a rate with its unit, such as 500/s"},
		{"rate of nothing", head + "load: {maxRate: 0/s}\n", "env.yaml:2: load.maxRate: must be a rate above 0"},
		{"clients file and pattern", head + "load: {clients: {file: no.csv, count: 3}}\n", "env.yaml:2: load.clients: give either file or count with patterns"},
		{"clients file missing", head + "load: {clients: {file: no.csv}}\n", "no.csv: no such file or directory"},
		{"own header", head + "headers: {NV-Tenant-Id: x}\n", "env.yaml:2: headers.NV-Tenant-Id: this header is set by tenant:; write it there"},
		{"header name", head + "headers: {\"a b\": x}\n", "env.yaml:2: headers.a b: is not a header name"},
		{"header with line break", head + "headers: {A: \"x\\r\\ny\"}\n", "env.yaml:2: headers.A holds a line break"},
		{"tenant with line break", head + "tenant: \"x\\ny\"\n", "env.yaml:2: tenant holds a line break"},
		{"proxy", head + "situations:\n  vpn:\n    proxy: 10.0.0.1\n", "env.yaml:4: situations.vpn.proxy: must be the address of a proxy"},
		{"password parameter", head + "situations:\n  credentials:\n    parameters: {login: dave, pin: x}\n    passwordParameter: hunter2\n", "env.yaml:5: situations.credentials.passwordParameter: must name one of parameters: login, pin"},
		{"password without parameters", head + "situations: {credentials: {passwordParameter: pin}}\n", "env.yaml:2: situations.credentials.passwordParameter: must name one of parameters: there are none"},
		{"register type", head + "situations: {registration: {type: a/b}}\n", "env.yaml:2: situations.registration.type: is one segment"},
		{"operator without secret", head + "operator: {kid: a}\n", "env.yaml:2: operator: needs secret"},
		{"ca missing", head + "tls: {ca: nowhere.pem}\n", "env.yaml:2: tls.ca: cannot read "},
		{"cert without key", head + "tls: {cert: a.pem}\n", "env.yaml:2: tls.cert: a client certificate needs its key too"},
		{"key without cert", head + "tls: {key: a.pem}\n", "env.yaml:2: tls.key: a client key needs its certificate too"},
		{"control address", head + "mock: {url: nowhere}\n", "env.yaml:2: mock.url: must be the address of the mock's control interface"},
		{"name with line break", head + "name: \"a\\nb\"\n", "env.yaml:2: name holds a line break"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse([]byte(test.text), "env.yaml", t.TempDir(), variables("EMPTY", ""))
			require.Error(t, err)
			assert.Contains(t, err.Error(), test.want)
			assert.Equal(t, failure.Usage, failure.KindOf(err))
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestParseReportsEveryMistake(t *testing.T) {
	_, err := Parse([]byte("url: https://ags.example\ntennant: a\nservise: b\nclockSkew: soon\n"), "env.yaml", ".", variables())
	require.Error(t, err)
	assert.Len(t, strings.Split(err.Error(), "\n"), 3)
}

// Invisible characters that Windows and shells put into files and variables.
func TestValuesThatAreHardlyMeantSo(t *testing.T) {
	const secret = "hunter2-of-twenty-characters"
	for name, test := range map[string]struct{ text, value, want string }{
		"line break behind a secret": {"operator: {secret: \"${A}\", kid: k}", secret + "\n", "env.yaml:2: operator.secret needs the environment variable A, whose value ends in a line break"},
		"CRLF behind a secret":       {"operator: {secret: \"${A}\", kid: k}", secret + "\r\n", "env.yaml:2: operator.secret needs the environment variable A, whose value ends in a line break"},
		"blank behind a secret":      {"operator: {secret: \"${A}\", kid: k}", secret + " ", "env.yaml:2: operator.secret needs the environment variable A, whose value ends in white space"},
		"blank before a name":        {"tenant: \"t-${A}\"", " nagra", "env.yaml:2: tenant needs the environment variable A, whose value begins with white space"},
		"mark in a variable":         {"tenant: \"${A}\"", "\ufeffnagra", "env.yaml:2: tenant needs the environment variable A, whose value holds a control character"},
		"line of a block":            {"situations:\n  active:\n    sessionToken: |\n      " + secret + "\n", "", "env.yaml:4: situations.active.sessionToken ends in a line break"},
		"blank behind a value":       {"service: \"Operator SSO \"", "", "env.yaml:2: service ends in white space"},
		"blank in a parameter name":  {"situations: {credentials: {parameters: {\"login \": a}}}", "", "env.yaml:2: the key \"login \" ends in white space"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte("url: https://ags.example\n"+test.text+"\n"), "env.yaml", ".", variables("A", test.value))
			require.ErrorContains(t, err, test.want)
			assert.Equal(t, failure.Usage, failure.KindOf(err))
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestParseReadsWhatWindowsWrites(t *testing.T) {
	const text = "\ufeffname: lab\r\nurl: https://ags.example\r\ntennant: a\r\n"
	_, err := Parse([]byte(text), "env.yaml", ".", variables())
	require.EqualError(t, err, `env.yaml:3: unknown key "tennant"; did you mean tenant?`)
	e, err := Parse([]byte(strings.ReplaceAll(text, "tennant", "tenant")), "env.yaml", ".", variables())
	require.NoError(t, err)
	assert.Equal(t, []string{"lab", "https://ags.example", "a"}, []string{e.Name, e.URL, e.Tenant})
	_, err = Parse([]byte("u\x00r\x00l\x00"), "env.yaml", ".", variables())
	require.ErrorContains(t, err, "env.yaml: line 1 holds a zero byte, as UTF-16 without a byte order mark does; save the file as UTF-8")

	dir := t.TempDir()
	certificate, key := writePair(t, dir)
	for _, path := range []string{certificate, key} {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, []byte("\ufeff"+strings.ReplaceAll(string(text), "\n", "\r\n")), 0o600))
	}
	e, err = Parse([]byte("url: https://ags.example\ntls: {ca: ca.pem, cert: ca.pem, key: key.pem}\n"), "env.yaml", dir, variables())
	require.NoError(t, err)
	target, err := e.Target()
	require.NoError(t, err)
	assert.Len(t, target.TLS.Certificates, 1)

	block, err := os.ReadFile(certificate)
	require.NoError(t, err)
	decoded, _ := pem.Decode([]byte(strings.TrimPrefix(string(block), "\ufeff")))
	require.NoError(t, os.WriteFile(certificate, decoded.Bytes, 0o600))
	_, err = Parse([]byte("url: https://ags.example\ntls: {ca: ca.pem}\n"), "env.yaml", dir, variables())
	require.ErrorContains(t, err, "it is in binary form (DER or PKCS #12); write it as PEM")
}

func TestReadNamesTheFile(t *testing.T) {
	dir := t.TempDir()
	_, err := Read(filepath.Join(dir, "none.yaml"), variables())
	require.Error(t, err)
	assert.Equal(t, failure.Usage, failure.KindOf(err))
	assert.Contains(t, err.Error(), "none.yaml: no such file or directory")

	_, err = Read(dir, variables())
	require.Error(t, err)
	assert.Contains(t, err.Error(), "is a directory")

	path := filepath.Join(dir, "big.yaml")
	require.NoError(t, os.WriteFile(path, []byte("# "+strings.Repeat("x", maxFile)), 0o600))
	_, err = Read(path, variables())
	require.Error(t, err)
	assert.Contains(t, err.Error(), "larger than 1 MiB")

	path = filepath.Join(dir, "good.yaml")
	require.NoError(t, os.WriteFile(path, []byte("url: http://127.0.0.1\nload: {clients: {file: clients.csv}}\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "clients.csv"), []byte("sessionToken,clientId,accountId\na,b,c\n"), 0o600))
	e, err := Read(path, variables())
	require.NoError(t, err)
	assert.Equal(t, path, e.File)
	assert.Equal(t, filepath.Join(dir, "clients.csv"), e.Load.Clients.File)

	for text, separator := range map[string]string{"clientId;accountId\na;b\n": "';'", "clientId\taccountId\na\tb\n": `'\t'`} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "clients.csv"), []byte(text), 0o600))
		_, err = Read(path, variables())
		assert.ErrorContains(t, err, "the columns in line 1 are separated by "+separator+"; separate them by commas, in each line")
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "clients.csv"), []byte("token,clientId\na,b\n"), 0o600))
	_, err = Read(path, variables())
	require.Error(t, err)
	assert.Contains(t, err.Error(), `the name of column 1 in line 1 is none of sessionToken, clientId, accountId; did you mean sessionToken?`)
}

// writePair writes a certificate, which is its own authority, and its key.
func writePair(t *testing.T, dir string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	keyDER, err := x509.MarshalECPrivateKey(private)
	require.NoError(t, err)
	write := func(name, kind string, bytes []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}), 0o600))
	}
	write("ca.pem", "CERTIFICATE", der)
	write("key.pem", "EC PRIVATE KEY", keyDER)
	return filepath.Join(dir, "ca.pem"), filepath.Join(dir, "key.pem")
}

func TestTargetReadsCertificates(t *testing.T) {
	dir := t.TempDir()
	writePair(t, dir)

	e, err := Parse([]byte("url: https://ags.example\ntls: {ca: ca.pem, cert: ca.pem, key: key.pem}\n"), "env.yaml", dir, variables())
	require.NoError(t, err)
	target, err := e.Target()
	require.NoError(t, err)
	assert.Len(t, target.TLS.Certificates, 1)
	certificate, err := x509.ParseCertificate(target.TLS.Certificates[0].Certificate[0])
	require.NoError(t, err)
	_, err = certificate.Verify(x509.VerifyOptions{Roots: target.TLS.RootCAs})
	assert.NoError(t, err, "the authority of the file is trusted")

	_, err = Parse([]byte("url: https://ags.example\ntls: {ca: key.pem}\n"), "env.yaml", dir, variables())
	require.Error(t, err)
	assert.Contains(t, err.Error(), "env.yaml:2: tls.ca:")
	assert.Contains(t, err.Error(), "holds no certificate in PEM form")

	_, err = Parse([]byte("url: https://ags.example\ntls: {cert: key.pem, key: ca.pem}\n"), "env.yaml", dir, variables())
	require.Error(t, err)
	assert.Contains(t, err.Error(), "are not a certificate and its key in PEM form")

	for form, text := range map[string]string{
		"PKCS #8": "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIHsMFcGCSqGSIb3\n-----END ENCRYPTED PRIVATE KEY-----\n",
		"old": "-----BEGIN EC PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED\r\nDEK-Info: AES-256-CBC,00\r\n\r\nMIHs\r\n" +
			"-----END EC PRIVATE KEY-----\r\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "locked.pem"), []byte(text), 0o600))
		_, err = Parse([]byte("url: https://ags.example\ntls: {cert: ca.pem, key: locked.pem}\n"), "env.yaml", dir,
			variables())
		require.Error(t, err, form)
		assert.Contains(t, err.Error(), "env.yaml:2: tls.key: the key in ", form)
		assert.Contains(t, err.Error(), "locked.pem is encrypted; give one that is not", form)
	}

	require.NoError(t, os.Remove(filepath.Join(dir, "key.pem")))
	_, err = e.Target()
	assert.Equal(t, failure.Usage, failure.KindOf(err))

	e, err = Parse([]byte("url: http://ags.example\ntls: {ca: ca.pem}\n"), "env.yaml", dir, variables())
	require.NoError(t, err)
	assert.Contains(t, strings.Join(e.Warnings(), "\n"), "tls is not used")
}

func FuzzParse(f *testing.F) {
	f.Add(whole)
	f.Add("url: https://ags.example\nclockSkew: 1h\n---\n")
	f.Add("situations: {active: {sessionToken: ${A}, headers: {a: [b]}}}\n")
	f.Add("url: &a [*a]\n")
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Parse([]byte(text), "f.yaml", "/nonexistent", variables("A", "secret-of-A"))
		if err == nil {
			if e.URL == "" {
				t.Error("an environment without address was accepted")
			}
			e.redacted()
			e.Abilities()
		} else if failure.KindOf(err) != failure.Usage {
			t.Errorf("%v is not a usage error", err)
		}
	})
}
