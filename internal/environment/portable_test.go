package environment

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"agstest/internal/failure"
	"agstest/internal/userfile"
	"agstest/internal/wire"
)

// elsewhere writes a portable environment into folders of another machine and reads it there.
func elsewhere(t require.TestingT, p *Portable, plan, secrets string) *Environment {
	for name, text := range p.Files {
		require.NoError(t, os.WriteFile(filepath.Join(plan, name), text, 0o600))
	}
	for name, text := range p.Secrets {
		require.NoError(t, os.WriteFile(filepath.Join(secrets, name), text, 0o600))
	}
	e, err := Parse(p.Text, "environment.yaml", plan, FolderLookup(secrets))
	require.NoError(t, err, "%s", p.Text)
	return e
}

// sameBut compares environments without where their files are.
var sameBut = cmp.Options{cmpopts.IgnoreUnexported(Environment{}), cmpopts.IgnoreFields(Environment{}, "File"), cmpopts.EquateEmpty()}

func TestPortableIsTheSameElsewhere(t *testing.T) {
	e, err := Parse([]byte(whole), "staging.yaml", ".", wholeVariables())
	require.NoError(t, err)
	p, err := e.Portable()
	require.NoError(t, err)
	for _, secret := range e.Secrets() {
		assert.NotContains(t, string(p.Text), secret)
	}
	assert.Empty(t, p.Files)
	assert.Contains(t, string(p.Text), `"secret": "${AGS_OPERATOR_SECRET}"`, "what came from a variable keeps its name")
	assert.Contains(t, string(p.Text), `"password": "a$$b${AGS_PASSWORD}$c"`)
	assert.Contains(t, string(p.Text), `"proxy": "${AGSTEST_SECRET_1}"`)
	assert.Equal(t, "http://user:pr0xyPass@127.0.0.1:3128", string(p.Secrets["AGSTEST_SECRET_1"]))
	there := elsewhere(t, p, t.TempDir(), t.TempDir())
	if diff := cmp.Diff(e, there, sameBut); diff != "" {
		t.Error(diff)
	}
	assert.Subset(t, there.Secrets(), e.Secrets(), "what was secret stays so")
	again, err := there.Portable()
	require.NoError(t, err)
	assert.Equal(t, p, again)
}

func TestPortableTakesFilesAlong(t *testing.T) {
	dir := t.TempDir()
	cert, key := writePair(t, dir)
	rows := []byte("sessionToken,clientId,accountId\nst-secret-1,C1,A1\n")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mine.csv"), rows, 0o600))
	text := fmt.Sprintf("url: https://ags.test\ntls: {ca: %s, cert: %s, key: %s}\nload: {clients: {file: mine.csv}}\n", cert, cert, key)
	e, err := Parse([]byte(text), "env.yaml", dir, variables())
	require.NoError(t, err)
	p, err := e.Portable()
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"tls-ca.pem", "tls-cert.pem"}, keysIn(p.Files))
	assert.ElementsMatch(t, []string{"tls-key.pem", "clients.csv"}, keysIn(p.Secrets))
	assert.Equal(t, rows, p.Secrets["clients.csv"])
	assert.NotContains(t, string(p.Text), dir, "a path of this machine says nothing there")
	plan, secrets := t.TempDir(), t.TempDir()
	there := elsewhere(t, p, plan, secrets)
	assert.Equal(t, TLS{CA: filepath.Join(plan, "tls-ca.pem"), Cert: filepath.Join(plan, "tls-cert.pem"), Key: filepath.Join(secrets, "tls-key.pem")}, there.TLS)
	assert.Equal(t, filepath.Join(secrets, "clients.csv"), there.Load.Clients.File)
	_, err = there.Target()
	assert.NoError(t, err)

	require.NoError(t, os.Remove(filepath.Join(dir, "mine.csv")))
	_, err = e.Portable()
	assert.ErrorContains(t, err, "mine.csv: no such file")
	assert.Equal(t, failure.Usage, failure.KindOf(err))
}

func TestPortableThatIsTooLarge(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "clients.csv")
	text := "url: https://ags.test\nload: {clients: {file: clients.csv}}\n"
	for rows, says := range map[int]string{
		1_100_000: "1058 KiB of them in load.clients.file, and a Kubernetes Secret takes 1008 KiB; describe the clients by a pattern",
		5_000_000: "it is larger than the 1 MiB that a Kubernetes Secret or ConfigMap holds; describe the clients by a pattern",
	} {
		content := append([]byte("sessionToken,clientId\n"), bytes.Repeat([]byte("a"), rows)...)
		require.NoError(t, os.WriteFile(file, content[:min(len(content), rows)], 0o600))
		e := &Environment{Name: "big", URL: "https://ags.test", Load: Load{Clients: Clients{File: file}}}
		_, err := e.Portable()
		require.Error(t, err, text)
		assert.ErrorContains(t, err, strings.Replace(says, "1058", fmt.Sprint((rows+1023)>>10), 1))
		assert.Equal(t, failure.Usage, failure.KindOf(err))
	}
	e := &Environment{Name: "big", URL: "https://ags.test", TLS: TLS{CA: file}}
	require.NoError(t, os.WriteFile(file, make([]byte, 950<<10), 0o600))
	_, err := e.Portable()
	assert.ErrorContains(t, err, "have 951 KiB, and a Kubernetes ConfigMap takes 900 KiB of files")
}

func keysIn(m map[string][]byte) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	return keys
}

// Whatever an environment says, it says the same elsewhere, and its text holds no secret.
func TestPortableRoundTrip(t *testing.T) {
	plan, secrets := t.TempDir(), t.TempDir()
	text := rapid.OneOf(rapid.StringMatching(`[a-zA-Z0-9 _.:,{}\[\]"'#&*!|>%@$\\/-]{1,12}`), rapid.StringN(1, 8, 32), rapid.SampledFrom([]string{
		"null", "true", "1e3", "0012", "~", "${A}", "$$", "$", "a: b", "- x", "2026-11-23", "日本", "\u2028", "𝒳", "yes", "=", "<<", "${AGSTEST_SECRETS_FOLDER}",
	})).Filter(func(s string) bool { return userfile.Flaw(s) == "" && strings.ToValidUTF8(s, "") == s })
	rapid.Check(t, func(t *rapid.T) {
		texts := func(label string) map[string]string {
			return rapid.MapOfN(rapid.StringMatching(`[a-zA-Z][a-zA-Z0-9-]{0,8}`), text, 0, 3).Draw(t, label)
		}
		headers, seen := texts("headers"), map[string]bool{} // names of headers have no case
		for _, name := range slices.Sorted(maps.Keys(headers)) {
			if own := strings.ToLower(name); ownHeaders[own] != "" || own == "connection" || seen[own] {
				delete(headers, name)
			} else {
				seen[own] = true
			}
		}
		e := &Environment{
			Name: text.Draw(t, "name"), URL: "https://ags.test", Tenant: text.Draw(t, "tenant"), Authorization: wire.Bearer,
			ClockSkew: time.Duration(rapid.IntRange(1, 3600).Draw(t, "skew")) * time.Second, Headers: headers,
			Operator: &Operator{Secret: text.Draw(t, "secret"), KeyID: text.Draw(t, "kid"), Parameter: text.Draw(t, "parameter")},
			Situations: Situations{
				"active":      {SessionToken: text.Draw(t, "session"), ClientID: text.Draw(t, "client"), AccountID: "0012"},
				"credentials": {Parameters: texts("parameters")},
				"vpn":         {},
			},
			Allow: Allow{FirstTime: rapid.Bool().Draw(t, "first")}, Protected: rapid.Bool().Draw(t, "protected"),
			Load: Load{Clients: Clients{Count: rapid.IntRange(1, 1e6).Draw(t, "count"), ClientID: "C{n}" + text.Draw(t, "device"), SessionToken: text.Draw(t, "prefix") + "{n}"}},
		}
		e.Lockout = rapid.IntRange(0, 1000).Draw(t, "lockout")
		e.NeverLocks = e.Lockout == 0 // off loopback, who says nothing has a bound
		p, err := e.Portable()
		require.NoError(t, err)
		there := elsewhere(t, p, plan, secrets)
		if diff := cmp.Diff(e, there, sameBut); diff != "" {
			t.Fatalf("%s\n%s", diff, p.Text)
		}
		for _, secret := range e.Secrets() {
			if len(secret) >= guessable && !strings.Contains("https://ags.test C{n} ${AGSTEST_SECRETS_FOLDER}", secret) && strings.Count(string(p.Text), secret) > countIn(e, secret) {
				t.Fatalf("the text holds the secret %q:\n%s", secret, p.Text)
			}
		}
	})
}

// countIn is how often a text stands in values that are no secrets.
func countIn(e *Environment, text string) int {
	n := 0
	e.eachString(func(path []string, value *string) {
		if e.secretIn(path, *value) == "" {
			n += strings.Count(*value, text) + strings.Count(strings.Join(path, " "), text)
		}
	})
	return n
}
