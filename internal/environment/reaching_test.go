package environment

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
)

func TestHowTheServiceIsReached(t *testing.T) {
	read := func(text string, values ...string) (*Environment, error) {
		return Parse([]byte("url: https://ags.example\n"+text+"\n"), "env.yaml", ".", variables(values...))
	}
	proxyOf := func(text string, values ...string) string {
		e, err := read(text, values...)
		require.NoError(t, err, text)
		target, err := e.Target()
		require.NoError(t, err)
		if target.Proxy == nil {
			return ""
		}
		return target.Proxy.String()
	}
	assert.Equal(t, "http://p.example:3128", proxyOf("proxy: http://p.example:3128"))
	assert.Equal(t, "socks5://p.example:1080", proxyOf("proxy: socks5://p.example:1080"))
	assert.Equal(t, "http://u:a%40b%2F%3Ac@p.example", proxyOf("proxy: \"http://${U}:${P}@p.example\"", "U", "u", "P", "a@b/:c"), "values are escaped")
	assert.Equal(t, "http://u:a%40b@p.example", proxyOf("proxy: http://u:a%40b@p.example"), "what is written is not")
	assert.Equal(t, "http://p.example:1", proxyOf("proxy: \"${PROXY}\"", "PROXY", "http://p.example:1"))
	assert.Equal(t, "", proxyOf("proxy: http://p.example\nnoProxy: .other, .example"))
	assert.Equal(t, "http://p.example", proxyOf("proxy: http://p.example\nnoProxy: .other,10.0.0.0/8"))
	for list, wanted := range map[string]string{"127.0.0.0/8": "", "10.0.0.0/8, 127.0.0.1": "", "10.0.0.0/8": "http://p.example", "localhost": "http://p.example"} {
		address, err := url.Parse("http://127.0.0.1:8080")
		require.NoError(t, err)
		got := "http://p.example"
		if excluded(address, list) {
			got = ""
		}
		assert.Equal(t, wanted, got, list)
	}
	assert.Equal(t, "http://p.example:8", proxyOf("proxy: environment", "HTTPS_PROXY", "http://p.example:8"))
	assert.Equal(t, "http://p.example:8", proxyOf("proxy: environment", "https_proxy", "p.example:8"))
	assert.Equal(t, "", proxyOf("proxy: environment", "HTTPS_PROXY", "http://p.example:8", "NO_PROXY", "ags.example"))
	assert.Equal(t, "", proxyOf("proxy: environment", "HTTP_PROXY", "http://p.example:8"), "that of https is another one")
	assert.Equal(t, "", proxyOf("", "HTTPS_PROXY", "http://p.example:8"))

	e, err := read("", "HTTPS_PROXY", "http://p.example:8")
	require.NoError(t, err)
	assert.Equal(t, []string{"env.yaml: HTTPS_PROXY is set and not used: write proxy: environment to use it, or proxy: none"}, e.Warnings())
	for _, quiet := range [][]string{{"HTTP_PROXY", "http://p.example:8"}, {"HTTPS_PROXY", "http://p.example:8", "NO_PROXY", "ags.example"}} {
		e, err := read("", quiet...)
		require.NoError(t, err)
		assert.Empty(t, e.Warnings())
	}
	e, err = read("proxy: none", "HTTPS_PROXY", "http://p.example:8")
	require.NoError(t, err)
	assert.Empty(t, e.Warnings())

	e, err = read("proxy: environment", "HTTPS_PROXY", "http://u:hidden-word@p.example:8")
	require.NoError(t, err)
	assert.Contains(t, e.Secrets(), "hidden-word")
	e, err = read("proxy: \"http://u:${P}@p.example\"", "P", "hidden/word")
	require.NoError(t, err)
	assert.Contains(t, e.Secrets(), "hidden/word")
	assert.NotContains(t, e.redacted().Proxy, "hidden")

	e, err = read("host: node.example:8443\nsni: node.example\ntimeout: 5s\nprefix: /v2\nhttp: 2\nheaders: {A: b}")
	require.NoError(t, err)
	target, err := e.Target()
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"A": "b", "Host": "node.example:8443"}, target.Headers)
	assert.Equal(t, "node.example", target.TLS.ServerName)
	assert.Equal(t, "/v2/refresh", target.PathOf("/ags/refresh"))
	assert.Equal(t, "/das/x", target.PathOf("/das/x"))
	assert.EqualValues(t, "2", target.HTTP)
	for prefix, want := range map[string]string{"/": "/refresh", "/ags": "/ags/refresh", "/ags/v2": "/ags/v2/refresh", "/a/b": "/a/b/refresh"} {
		e, err := read("prefix: " + prefix)
		require.NoError(t, err)
		assert.Equal(t, want, e.PathOf("/ags/refresh"))
		assert.Equal(t, want, e.PathOf(e.PathOf("/ags/refresh")), "whoever asks")
	}

	for text, want := range map[string]string{
		"proxy: p.example":                "env.yaml:2: proxy: must be the address of a proxy",
		"proxy: ftp://p.example":          "env.yaml:2: proxy: must be the address of a proxy",
		"noProxy: .a":                     "env.yaml:2: noProxy: needs proxy",
		"proxy: environment\nnoProxy: .a": "env.yaml:3: noProxy: stands beside the address of a proxy; with proxy: environment it has no meaning",
		"timeout: 1h":                     "env.yaml:2: timeout: must be between 10ms and 10m0s",
		"http: 3":                         "env.yaml:2: http: must be 1.1, 2 or auto",
		"host: https://a":                 "env.yaml:2: host: must be a host",
		"sni: a:443":                      "env.yaml:2: sni: must be the name of a host",
		"prefix: v2":                      "env.yaml:2: prefix: is a path that begins and does not end with a slash",
		"prefix: /v2/":                    "env.yaml:2: prefix: is a path that begins and does not end with a slash",
		"headers: {Host: a}":              "env.yaml:2: headers.Host: this header is set by host:; write it there",
	} {
		_, err := read(text)
		require.ErrorContains(t, err, want)
		assert.Equal(t, failure.Usage, failure.KindOf(err))
	}
	_, err = Parse([]byte("url: http://ags.example\nhttp: 2\n"), "env.yaml", ".", variables())
	assert.ErrorContains(t, err, "env.yaml:2: http: HTTP/2 needs a url that starts with https://")
	e, err = Parse([]byte("url: http://ags.example\nsni: a.example\n"), "env.yaml", ".", variables())
	require.NoError(t, err)
	assert.Contains(t, e.Warnings()[0], "env.yaml:2: sni is not used, because the url starts with http://")
}

// TestHeadersThatCannotBeRenewed are refused with their line; what is right survives being shown and being taken to
// another machine.
func TestHeadersThatCannotBeRenewed(t *testing.T) {
	t.Parallel()
	never := func(string) (string, bool) { return "", false }
	for text, want := range map[string]string{
		"headers: {A: {}}": "headers.A: must be a value, or say where it comes from",
		"headers: {A: {command: [cat], keycloak: {url: https://k, client: c, secret: s}}}": "in one way",
		"headers: {A: {command: [cat], renew: 10ms}}":                                      "env.yaml:2: headers.A.renew: must be between 1s and 24h",
		"headers: {A: {comand: [cat]}}":                                                    "did you mean command?",
		"headers: {A: x, a: {command: [cat]}}":                                             "headers.a: is given twice",
		"headers:\n  A: x\n  A: {command: [cat]}":                                          "env.yaml:4: this is not valid YAML",
		"headers: {A: {command: [cat]}, A: {command: [cat]}}":                              "is not valid YAML",
		"headers: {nv-tenant-id: {command: [cat]}}":                                        "this header is set by tenant:",
		"headers.from: {A: {command: [cat]}}":                                              "did you mean headers?",
		"headers: {A: {request: {url: 'http://x.example'}}}":                               "headers.A: needs token",
		"encryptPassword: {}":                                                              "encryptPassword: needs command",
		"encryptPassword: {command: [cat, !secret word]}":                                  "everybody on this machine can read the arguments of a process",
		"wrongPassword: x\nencryptPassword: {command: [cat]}":                              "leave one of the two out",
	} {
		_, err := Parse([]byte("url: http://127.0.0.1:1\n"+text+"\n"), "env.yaml", ".", never)
		assert.ErrorContains(t, err, want, text)
	}
	const good = `url: http://127.0.0.1:1
tenant: nagra
headers:
  A: one
  B: {request: {url: "http://127.0.0.1:2/{tenant}", headers: {Key: !secret k3y}}, token: /token, before: Bearer}
operator:
  secret: !secret s3cret
  account: "1"
  headers: {C: {keycloak: {url: "http://127.0.0.1:2", client: c, secret: !secret s3cond}, renew: 10m}}
`
	e, err := Parse([]byte(good), "env.yaml", ".", never)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"A": "one"}, e.Headers)
	assert.Equal(t, 10*time.Minute, e.Operator.RenewedHeaders["C"].Life())
	assert.ElementsMatch(t, []string{"k3y", "s3cret", "s3cond"}, e.Secrets())
	assert.Len(t, e.OperatorRenewedHeaders(), 2)
	shown, err := e.Shown()
	require.NoError(t, err)
	again, err := Parse(shown, "env.yaml", ".", never)
	require.NoError(t, err, string(shown))
	assert.Equal(t, e.Headers, again.Headers)
	assert.Equal(t, "http://127.0.0.1:2/{tenant}", again.RenewedHeaders["B"].Request.URL)
	assert.NotContains(t, string(shown), "k3y")
	p, err := e.Portable()
	require.NoError(t, err)
	there, err := Parse(p.Text, "env.yaml", ".", func(name string) (string, bool) { text, ok := p.Secrets[name]; return string(text), ok })
	require.NoError(t, err, string(p.Text))
	assert.Equal(t, e.RenewedHeaders, there.RenewedHeaders)
	assert.Equal(t, e.Operator.RenewedHeaders, there.Operator.RenewedHeaders)
	e, err = Parse([]byte("url: http://127.0.0.1:1\nheaders: {A: {command: [cat]}}\n"), "env.yaml", ".", never)
	require.NoError(t, err)
	_, err = e.Portable()
	assert.ErrorContains(t, err, "headers.A comes from a command, which is of this machine")
}
