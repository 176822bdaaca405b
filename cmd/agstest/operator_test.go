package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
)

// portal is where a platform has getSessionToken for its head-end systems: at an address of its own, with a header in
// place of the parameter, keys of which the platform knows only the public half, and ids of accounts that tokens do not
// tell. It passes right requests on to a mock.
type portal struct {
	to     http.Handler
	secret string
	keys   map[string]any
	trust  bool // it lets a token say how it is checked

	mu    sync.Mutex
	good  map[string]int // by kid
	stray []string
}

func (p *portal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/portal/ags/getSessionToken" || r.Header.Get("X-Portal") != "stb" || r.Header.Get("X-Env") != "" {
		p.mu.Lock()
		p.stray = append(p.stray, r.Method+" "+r.URL.Path)
		p.mu.Unlock()
		w.WriteHeader(http.StatusTeapot)
		return
	}
	body, _ := io.ReadAll(r.Body)
	if !json.Valid(body) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	claims := jwt.MapClaims{}
	token, err := jwt.NewParser(jwt.WithJSONNumber(), jwt.WithValidMethods([]string{"RS256", "ES256", "HS256"})).ParseWithClaims(r.Header.Get("X-Operator-Auth"), claims, func(t *jwt.Token) (any, error) {
		key := p.keys[t.Header["kid"].(string)]
		if key != nil && t.Method.Alg() == "HS256" && p.trust {
			der, err := x509.MarshalPKIXPublicKey(key)
			return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), err
		}
		return key, nil
	})
	account, known := strings.CutPrefix(claimText(claims, "OpfAccountId"), "OPF-")
	if err != nil || !known {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"message":"no"}`)
		return
	}
	claims["OpfAccountId"] = account
	again := jwt.NewWithClaims(jwt.SigningMethodHS256, claims)
	again.Header["kid"] = "70646948"
	signed, _ := again.SignedString([]byte(p.secret))
	body, _ = json.Marshal(map[string]any{"parameters": []map[string]string{{"name": "OperatorAuthToken", "value": signed}}})
	p.mu.Lock()
	p.good[token.Header["kid"].(string)]++
	p.mu.Unlock()
	r.URL.Path, r.Body, r.ContentLength = "/ags/getSessionToken", io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if r.Header.Get("x-auth-service-id") == "Head End" {
		r.Header.Set("x-auth-service-id", "Operator SSO")
	}
	p.to.ServeHTTP(w, r)
}

func claimText(claims jwt.MapClaims, name string) string {
	text, _ := claims[name].(string)
	return text
}

// TestOperatorElsewhere: an operator whose tokens are signed with private keys in turn, sent in a header to an address
// of their own and about accounts by ids of their own, is met by conform and by load; a platform that lets tokens say
// how they are checked is found out.
func TestOperatorElsewhere(t *testing.T) {
	const secret = "a-secret-of-at-least-32-characters"
	running, err := startMock(mock.New(mock.Config{OperatorSecret: secret, OperatorKeyID: "70646948"}), mockAddresses{service: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { running.stop(time.Second) })
	dir := t.TempDir()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalECPrivateKey(ecKey)
	require.NoError(t, err)
	for name, block := range map[string]*pem.Block{"rsa.pem": {Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)}, "ec.pem": {Type: "EC PRIVATE KEY", Bytes: der}} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600))
	}
	for _, trust := range []bool{false, true} {
		p := &portal{to: running.mock, secret: secret, keys: map[string]any{"one": &rsaKey.PublicKey, "two": &ecKey.PublicKey}, trust: trust, good: map[string]int{}}
		server := httptest.NewServer(p)
		t.Cleanup(server.Close)
		text, err := os.ReadFile(environmentElsewhere(t, running, running.url, ""))
		require.NoError(t, err)
		changed := regexp.MustCompile(`(?m)^load:\n(  .*\n)+`).ReplaceAllString(string(text), "load: {clients: {count: 100, accountId: \"L{n}\", clientId: \"LOAD_{n}\"}}\n")
		changed = regexp.MustCompile(`(?m)^operator:.*\n(  .*\n)*`).ReplaceAllString(changed, "operator: {alg: RS256, key: rsa.pem, kid: one, keys: {two: {alg: ES256, key: ec.pem}}, header: X-Operator-Auth, account: \"OPF-{accountId}\", url: \""+
			server.URL+"/portal\", service: Head End, headers: {X-Portal: stb}}\n")
		file := filepath.Join(dir, "env.yaml")
		require.NoError(t, os.WriteFile(file, []byte(changed), 0o600))
		only := "GST-01,GST-03,GST-04,GST-05,GST-06,GST-08,GST-09,GST-10,GST-11,GST-13,GST-14,SOST-01"
		code, stdout, stderr := call(t, nil, "conform", "--env", file, "--only", only, "--generate", "3", "--sequences", "0", "--out", filepath.Join(dir, "conform"))
		if trust {
			assert.Equal(t, exitFail, code, stdout+stderr)
			assert.Contains(t, stdout, "GST-08")
			continue
		}
		assert.Equal(t, exitPass, code, stdout+stderr)
		assert.Positive(t, p.good["one"])
		assert.Positive(t, p.good["two"])
		before := p.good["one"] + p.good["two"]
		code, stdout, stderr = call(t, nil, "load", "--env", file, "--workload", "signon", "--rate", "20/s", "--duration", "1s", "--out", filepath.Join(dir, "load"))
		assert.Contains(t, []int{exitPass, exitInvalid}, code, stdout+stderr)
		assert.GreaterOrEqual(t, p.good["one"]+p.good["two"], before+20, "session tokens are minted there")
		code, _, stderr = call(t, nil, "load", "--env", file, "--workload", "head-end", "--rate", "20/s", "--duration", "1s", "--out", filepath.Join(dir, "load"))
		assert.Equal(t, exitUsage, code)
		assert.Contains(t, stderr, "a load measures one address")
		assert.Empty(t, p.stray, "nothing else is sent there")
	}
}

// TestLoadNamesAWrongHeadEnd: where no session token can be had since something else answers there, the line is named.
// A refusal of the service itself blames nothing.
func TestLoadNamesAWrongHeadEnd(t *testing.T) {
	running, err := startMock(mock.New(mock.Config{}), mockAddresses{service: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { running.stop(time.Second) })
	login := httptest.NewServer(http.RedirectHandler("https://login.example.com/", http.StatusFound))
	t.Cleanup(login.Close)
	for url, secret := range map[string]string{login.URL: "", running.url: "another-secret-of-32-characters-x"} {
		text, err := os.ReadFile(environmentElsewhere(t, running, running.url, ""))
		require.NoError(t, err)
		changed := regexp.MustCompile(`(?m)^load:\n(  .*\n)+`).ReplaceAllString(string(text),
			"load: {clients: {count: 100, accountId: \"L{n}\", clientId: \"LOAD_{n}\"}}\n")
		changed = strings.Replace(changed, "operator: {", "operator: {url: \""+url+"\", ", 1)
		if secret != "" {
			changed = regexp.MustCompile(`secret: [^,}]+`).ReplaceAllString(changed, "secret: \""+secret+"\"")
		}
		dir := t.TempDir()
		file := filepath.Join(dir, "env.yaml")
		require.NoError(t, os.WriteFile(file, []byte(changed), 0o600))
		code, _, stderr := call(t, nil, "load", "--env", file, "--workload", "signon", "--rate", "20/s", "--duration",
			"1s", "--out", filepath.Join(dir, "load"))
		assert.Equal(t, exitSetup, code, stderr)
		assert.Equal(t, secret == "", strings.Contains(stderr, "write the final address into operator.url"), stderr)
		assert.Equal(t, secret == "", regexp.MustCompile(`\(.*env\.yaml:\d+\)`).MatchString(stderr), stderr)
		assert.Equal(t, secret != "", strings.Contains(stderr, "a session token for client "), stderr)
	}
}
