package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
)

// forwardProxy is a proxy that alone knows where a service is: every host leads there. It wants a user name and a
// password.
type forwardProxy struct {
	to       string // address of the service
	password string
	asked    atomic.Int64
	refused  atomic.Int64
}

func (p *forwardProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.asked.Add(1)
	if r.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte("user:"+p.password)) {
		p.refused.Add(1)
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	if r.Method != http.MethodConnect {
		out := r.Clone(r.Context())
		out.URL.Host, out.RequestURI = p.to, ""
		out.Header.Del("Proxy-Authorization")
		answer, err := http.DefaultTransport.RoundTrip(out)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		maps.Copy(w.Header(), answer.Header)
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
		return
	}
	there, err := net.Dial("tcp", p.to)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer there.Close()
	here, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer here.Close()
	_, _ = io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() {
		_, _ = io.Copy(there, here)
		_ = there.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(here, there)
}

// environmentElsewhere is that of a running mock without its control interface, at another address and with more keys.
func environmentElsewhere(t *testing.T, running *runningMock, url, more string) string {
	t.Helper()
	text := string(running.environment())
	text = regexp.MustCompile(`(?m)^url: .*$`).ReplaceAllString(text, "url: "+url)
	text = regexp.MustCompile(`(?ms)^mock:\n(  .*?\n)+`).ReplaceAllString(text, "")
	file := filepath.Join(t.TempDir(), "env.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text+more+"\n"), 0o600))
	return file
}

// TestEverythingGoesThroughTheProxy: the name of the service leads nowhere but through the proxy, for conform, load and
// its set-up.
func TestEverythingGoesThroughTheProxy(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{true, false} {
		t.Run(fmt.Sprintf("tls %v", secure), func(t *testing.T) {
			running, err := startMock(mock.New(mock.Config{}), mockAddresses{service: "127.0.0.1:0", tls: secure, caFile: filepath.Join(t.TempDir(), "ca.pem")})
			require.NoError(t, err)
			t.Cleanup(func() { running.stop(time.Second) })
			proxy := &forwardProxy{to: strings.TrimPrefix(strings.TrimPrefix(running.url, "https://"), "http://"), password: "p@ss/word: of the proxy"}
			server := httptest.NewServer(proxy)
			t.Cleanup(server.Close)
			address := strings.TrimPrefix(server.URL, "http://")
			url, more := "http://ags.test.invalid", ""
			if secure {
				url, more = "https://ags.test.invalid", "\nsni: localhost"
			}
			file := environmentElsewhere(t, running, url, "proxy: \"http://user:${PROXY_PASSWORD}@"+address+"\""+more)
			variables := map[string]string{"PROXY_PASSWORD": proxy.password}
			out := t.TempDir()
			for _, args := range [][]string{
				{"conform", "--env", file, "--only", "SOST-01,REF-01", "--generate", "0", "--sequences", "0"},
				{"load", "--env", file, "--workload", "mixed", "--mix", "signon=1,refresh=2", "--rate", "20/s", "--duration", "1s"},
			} {
				before := proxy.asked.Load()
				code, stdout, stderr := call(t, variables, append(args, "--out", filepath.Join(out, args[0]))...)
				assert.Contains(t, []int{exitPass, exitInvalid}, code, stdout+stderr)
				assert.Greater(t, proxy.asked.Load(), before)
				assert.NotContains(t, stdout+stderr, "p@ss")
				assert.Zero(t, proxy.refused.Load())
			}
			code, _, stderr := call(t, map[string]string{"PROXY_PASSWORD": "wrong"}, "conform", "--env", file, "--only", "SOST-01", "--out", filepath.Join(out, "refused"))
			assert.Equal(t, exitSetup, code)
			assert.Contains(t, stderr, "proxy")
			code, _, stderr = call(t, map[string]string{"HTTPS_PROXY": server.URL, "HTTP_PROXY": server.URL}, "env", environmentElsewhere(t, running, url, ""))
			assert.Equal(t, exitPass, code)
			assert.Contains(t, stderr, "_PROXY is set and not used: write proxy: environment to use it, or proxy: none")
		})
	}
}

// TestServiceElsewhere: another path, another Host, and a time for each exchange that is kept.
func TestServiceElsewhere(t *testing.T) {
	t.Parallel()
	running, err := startMock(mock.New(mock.Config{}), mockAddresses{service: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { running.stop(time.Second) })
	m := running.mock
	var others atomic.Int64
	slow := make(chan struct{})
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, found := strings.CutPrefix(r.URL.Path, "/gateway/v2/")
		if !found || r.Host != "ags.example.com" {
			others.Add(1)
			w.WriteHeader(http.StatusMisdirectedRequest)
			return
		}
		if r.Header.Get("X-Slow") != "" {
			<-slow
		}
		r.URL.Path = "/ags/" + rest
		m.ServeHTTP(w, r)
	}))
	t.Cleanup(node.Close)
	t.Cleanup(func() { close(slow) })
	out := t.TempDir()
	file := environmentElsewhere(t, running, node.URL+"/gateway", "prefix: /v2\nhost: ags.example.com")
	for _, args := range [][]string{
		{"conform", "--env", file, "--only", "SOST-01,REF-01,OUT-01", "--generate", "2", "--sequences", "1"},
		{"load", "--env", file, "--workload", "lifecycle", "--rate", "20/s", "--duration", "1s"},
	} {
		code, stdout, stderr := call(t, nil, append(args, "--out", filepath.Join(out, args[0]))...)
		assert.Contains(t, []int{exitPass, exitInvalid}, code, stdout+stderr)
		assert.Zero(t, others.Load(), args[0])
	}
	file = environmentElsewhere(t, running, node.URL+"/gateway", "prefix: /v2\nhost: ags.example.com\ntimeout: 50ms\nheaders: {X-Slow: yes}")
	code, _, stderr := call(t, nil, "conform", "--env", file, "--only", "SOST-01", "--out", filepath.Join(out, "slow"))
	assert.Equal(t, exitSetup, code)
	assert.Contains(t, stderr, "no whole answer within 50ms")
}

// plugin is a service that adapts its calls to an operator: another name for the session token, one more parameter,
// classes of its own, and clientIds of one form.
type plugin struct {
	to       http.Handler
	bad      atomic.Int64
	channel  atomic.Int64
	without  atomic.Int64
	firsts   sync.Map // serial numbers of the devices of first-time sign-ons
	malform  atomic.Int64
	password string // what a wrong one looks like
	tried    atomic.Int64
}

func (p *plugin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var spelt any
	if json.Unmarshal(body, &spelt) == nil { // the same JSON may be spelt in many ways
		body, _ = json.Marshal(spelt)
	}
	switch r.URL.Path {
	case "/ags/servicediscovery":
		answer := httptest.NewRecorder()
		p.to.ServeHTTP(answer, r)
		text := strings.ReplaceAll(answer.Body.String(), `{"name":"sessionToken","mandatory":true,"isPassword":true}`,
			`{"name":"ticket","mandatory":true,"isPassword":true},{"name":"channel","mandatory":true,"isPassword":false}`)
		text = strings.ReplaceAll(text, `"name":"OperatorAuthToken"`, `"name":"headEndToken"`)
		w.Header().Set("Content-Type", answer.Header().Get("Content-Type"))
		w.WriteHeader(answer.Code)
		_, _ = io.WriteString(w, text)
		return
	case "/ags/getSessionToken":
		body = bytes.ReplaceAll(body, []byte(`"OperatorAuthToken"`), []byte(`"nothing"`))
		body = bytes.ReplaceAll(body, []byte(`"headEndToken"`), []byte(`"OperatorAuthToken"`))
	case "/ags/signOn":
		if p.password != "" && bytes.Contains(body, []byte(p.password)) {
			p.tried.Add(1)
		}
	case "/ags/signOnWithSessionToken":
		var said struct {
			Client string `json:"clientId"`
			Device struct {
				Class  string `json:"playoutDeviceClass"`
				Serial string `json:"serial"`
			} `json:"deviceInformation"`
		}
		_ = json.Unmarshal(body, &said)
		switch {
		case bytes.Contains(body, []byte(`"deviceInformation"`)) && said.Device.Class != "ourBox":
			if said.Device.Class == "mobileDevice" { // what is odd on purpose has classes that nobody has
				p.bad.Add(1)
			}
			w.WriteHeader(http.StatusBadRequest)
			return
		case strings.HasPrefix(said.Client, "agstest_"):
			p.malform.Add(1)
			w.WriteHeader(http.StatusBadRequest)
			return
		case bytes.Contains(body, []byte(`{"name":"channel","value":"stb"}`)):
			p.channel.Add(1)
		case !bytes.Contains(body, []byte("channel")):
			p.without.Add(1)
		}
		if said.Device.Serial != "" {
			p.firsts.Store(said.Device.Serial, true)
		}
		body = bytes.ReplaceAll(body, []byte(`"sessionToken"`), []byte(`"nothing"`))
		body = bytes.ReplaceAll(body, []byte(`"ticket"`), []byte(`"sessionToken"`))
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	p.to.ServeHTTP(w, r)
}

// TestServiceThatAdaptsItsCalls: what the file says of requests is what conform and load send, and what it does not say
// discovery tells.
func TestServiceThatAdaptsItsCalls(t *testing.T) {
	t.Parallel()
	running, err := startMock(mock.New(mock.Config{}), mockAddresses{service: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { running.stop(time.Second) })
	p := &plugin{to: running.mock, password: "cipher-of-a-wrong-one"}
	service := httptest.NewServer(p)
	t.Cleanup(service.Close)
	out := t.TempDir()
	const device = "deviceInformation: {device: {screen: {height: 720, width: 1280, density: 1}, OS: {type: Linux, version: \"5\"}}, serial: \"S-{n}\", playoutDeviceClass: ourBox}\n"
	const more = device + "wrongPassword: cipher-of-a-wrong-one\nunknownClientId: 5f0000000000000000000000\nallow: {first-time: true}\n"
	base := environmentElsewhere(t, running, service.URL, "")
	text, err := os.ReadFile(base)
	require.NoError(t, err)
	// The service knows clientIds of 24 digits alone: the device of the account is made in the run. Session tokens come
	// from the operator.
	stripped := regexp.MustCompile(`(?m)^allow: .*\n`).ReplaceAllString(string(text), "")
	stripped = regexp.MustCompile(`(?ms)^situations:\n(  .*?\n)+`).ReplaceAllString(stripped, "situations:\n  active: {accountId: \"1663\"}\n  credentials: {parameters: {username: dave, password: x}, clientId: 5f0000000000000000000001, accountId: \"1663\"}\n")
	stripped = regexp.MustCompile(`(?ms)^load:\n(  .*?\n)+`).ReplaceAllString(stripped, "load: {clients: {count: 100, accountId: \"L{n}\", clientId: \"LOAD_{n}\"}}\n")
	for name, said := range map[string]string{
		"all is said":     "signOnWithSessionToken: {parameter: ticket, parameters: {channel: stb}}\n",
		"discovery tells": "signOnWithSessionToken: {parameters: {channel: stb}}\n",
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "env.yaml")
			require.NoError(t, os.WriteFile(file, []byte(stripped+said+more), 0o600))
			p.bad.Store(0)
			p.tried.Store(0)
			p.channel.Store(0)
			p.without.Store(0)
			folder := filepath.Join(out, name)
			code, stdout, stderr := call(t, nil, "conform", "--env", file, "--only", "SOST-01,SOST-02,SOST-19,SOST-21,GST-01,REF-01,SSO-08", "--generate", "0", "--sequences", "0", "--out", folder, "--json")
			assert.Contains(t, []int{exitPass, exitFail, exitInconclusive}, code, stderr)
			for _, id := range []string{"SOST-01", "SOST-02", "SOST-19", "SOST-21", "GST-01", "REF-01"} {
				assert.Regexp(t, `(?s)"id": "`+id+`",.*?"verdict": "pass"`, regexp.MustCompile(`(?s)\{\s*"id": "`+id+`",.*?"verdict": "[a-z]+"`).FindString(stdout))
			}
			assert.Zero(t, p.bad.Load())
			assert.Greater(t, p.channel.Load(), int64(20))
			assert.LessOrEqual(t, p.without.Load(), int64(12), "a parameter is left out on purpose only")
			assert.Zero(t, p.malform.Load(), "the made-up clientId has the form of real ones")
			assert.Positive(t, p.tried.Load())
			_, serial := p.firsts.Load("S-{n}")
			assert.False(t, serial)
			code, stdout, stderr = call(t, nil, "load", "--env", file, "--workload", "signon-first", "--rate", "20/s", "--duration", "1s", "--out", folder+"-load", "--yes-load", "mock")
			assert.Contains(t, []int{exitPass, exitInvalid}, code, stdout+stderr)
			_, serial = p.firsts.Load("S-1")
			assert.True(t, serial, "the first client of the load")
			assert.Zero(t, p.bad.Load())
		})
	}
	file := filepath.Join(t.TempDir(), "env.yaml")
	require.NoError(t, os.WriteFile(file, []byte(stripped+"signOnWithSessionToken: {parameter: ticket}\n"+device+"allow: {first-time: true}\n"), 0o600))
	_, stdout, _ := call(t, nil, "conform", "--env", file, "--only", "SOST-01", "--out", filepath.Join(out, "lacking"), "--json")
	assert.Contains(t, stdout, "servicediscovery calls these parameters of /signOnWithSessionToken mandatory, and the environment file gives no value for them: channel")
}

// TestOperatorOfAnotherAlgorithm: a head-end system whose key is binary and whose tokens are signed with HS512 is acted
// for by conform and load.
func TestOperatorOfAnotherAlgorithm(t *testing.T) {
	t.Parallel()
	const secret = "a-secret-of-at-least-32-characters"
	running, err := startMock(mock.New(mock.Config{OperatorSecret: secret}), mockAddresses{service: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { running.stop(time.Second) })
	base := environmentElsewhere(t, running, running.url, "")
	text, err := os.ReadFile(base)
	require.NoError(t, err)
	binary := bytes.Repeat([]byte{0, 0xff, 7, 0x80}, 16)
	var good, longest atomic.Int64
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ags/getSessionToken" {
			body, _ := io.ReadAll(r.Body)
			var said struct {
				Parameters []struct{ Name, Value string } `json:"parameters"`
			}
			if json.Unmarshal(body, &said) == nil && len(said.Parameters) > 0 {
				claims := jwt.MapClaims{}
				if token, err := jwt.ParseWithClaims(said.Parameters[0].Value, claims, func(*jwt.Token) (any, error) { return binary, nil }, jwt.WithValidMethods([]string{"HS512"})); err == nil {
					good.Add(1)
					if expires, err := claims.GetExpirationTime(); err == nil {
						longest.Store(max(longest.Load(), int64(time.Until(expires.Time))))
					}
					header := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"alg":"HS256","typ":"JWT","kid":%q}`, token.Header["kid"]))
					signed := header + "." + strings.Split(token.Raw, ".")[1] // its figures as they were written
					signature, _ := jwt.SigningMethodHS256.Sign(signed, []byte(secret))
					signed += "." + base64.RawURLEncoding.EncodeToString(signature)
					body = bytes.ReplaceAll(body, []byte(said.Parameters[0].Value), []byte(signed))
				} else {
					body = bytes.ReplaceAll(body, []byte(said.Parameters[0].Value), []byte("a.b.c"))
				}
			}
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		}
		running.mock.ServeHTTP(w, r)
	}))
	t.Cleanup(service.Close)
	changed := regexp.MustCompile(`secret: "?`+secret+`"?`).ReplaceAllString(string(text), "secret: \""+hex.EncodeToString(binary)+"\"")
	require.NotEqual(t, string(text), changed)
	changed = strings.Replace(changed, "operator:\n", "operator:\n  alg: HS512\n  encoding: hex\n  lifetime: 1m\n", 1)
	changed = strings.Replace(changed, "operator: {", "operator: {alg: HS512, encoding: hex, lifetime: 1m, ", 1)
	changed = regexp.MustCompile(`(?m)^url: .*$`).ReplaceAllString(changed, "url: "+service.URL)
	file := filepath.Join(t.TempDir(), "env.yaml")
	require.NoError(t, os.WriteFile(file, []byte(changed), 0o600))
	out := t.TempDir()
	code, stdout, stderr := call(t, nil, "conform", "--env", file, "--only", "GST-01,GST-04,GST-08,GST-13", "--generate", "0", "--sequences", "0", "--out", filepath.Join(out, "conform"))
	assert.Equal(t, exitPass, code, stdout+stderr)
	assert.Positive(t, good.Load())
	assert.LessOrEqual(t, longest.Load(), int64(time.Minute))
	before := good.Load()
	code, stdout, stderr = call(t, nil, "load", "--env", file, "--workload", "head-end", "--rate", "20/s", "--duration", "1s", "--out", filepath.Join(out, "load"))
	assert.Contains(t, []int{exitPass, exitInvalid}, code, stdout+stderr)
	assert.Greater(t, good.Load(), before)
	assert.NotContains(t, stdout+stderr, hex.EncodeToString(binary))
}
