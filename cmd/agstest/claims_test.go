package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
)

// TestClaimsOfAnotherPlatform: a platform that calls the claims of the OperatorAuthToken otherwise, and wants further
// ones, is asked its way by conform and load.
func TestClaimsOfAnotherPlatform(t *testing.T) {
	t.Parallel()
	const secret = "a-secret-of-at-least-32-characters"
	running, err := startMock(mock.New(mock.Config{OperatorSecret: secret}), mockAddresses{service: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { running.stop(time.Second) })
	key := func(*jwt.Token) (any, error) { return []byte(secret), nil }
	var asked, good atomic.Int64
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ags/getSessionToken" {
			body, _ := io.ReadAll(r.Body)
			var said struct {
				Parameters []struct{ Name, Value string } `json:"parameters"`
			}
			claims := jwt.MapClaims{}
			if json.Unmarshal(body, &said) == nil && len(said.Parameters) > 0 {
				asked.Add(1)
				asWanted := false
				if token, err := jwt.NewParser(jwt.WithJSONNumber(), jwt.WithValidMethods([]string{"HS256"})).ParseWithClaims(said.Parameters[0].Value, claims, key); err == nil {
					if fmt.Sprint(claims["aud"]) == "[ags sts]" && claims["iss"] == "head-end" && fmt.Sprint(claims["level"]) == "3" && claims["OpfAccountId"] == nil {
						claims["aud"], claims["OpfAccountId"], claims["OpfTenantId"] = "ags", claims["subscriber"], claims["realm"]
						again := jwt.NewWithClaims(jwt.SigningMethodHS256, claims)
						again.Header["kid"] = token.Header["kid"]
						if signed, err := again.SignedString([]byte(secret)); err == nil {
							body = bytes.ReplaceAll(body, []byte(said.Parameters[0].Value), []byte(signed))
							asWanted = true
							good.Add(1)
						}
					}
				}
				if !asWanted {
					body = bytes.ReplaceAll(body, []byte(said.Parameters[0].Value), []byte("a.b.c"))
				}
			}
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		}
		running.mock.ServeHTTP(w, r)
	}))
	t.Cleanup(service.Close)
	text, err := os.ReadFile(environmentElsewhere(t, running, service.URL, ""))
	require.NoError(t, err)
	const said = "claimNames: {account: subscriber, tenant: realm}, claims: {iss: head-end, aud: [ags, sts], level: 3}"
	changed := regexp.MustCompile(`(?m)^load:\n(  .*\n)+`).ReplaceAllString(string(text), "load: {clients: {count: 100, accountId: \"L{n}\", clientId: \"LOAD_{n}\"}}\n")
	changed = strings.Replace(changed, "operator:\n", "operator:\n  "+strings.Replace(said, "}, claims", "}\n  claims", 1)+"\n", 1)
	changed = strings.Replace(changed, "operator: {", "operator: {"+said+", ", 1)
	require.NotEqual(t, string(text), changed)
	file := filepath.Join(t.TempDir(), "env.yaml")
	require.NoError(t, os.WriteFile(file, []byte(changed), 0o600))
	out := t.TempDir()
	code, stdout, stderr := call(t, nil, "conform", "--env", file, "--only", "GST-01,GST-04,GST-05,GST-06,GST-08,GST-13", "--generate", "0", "--sequences", "0", "--out", filepath.Join(out, "conform"))
	assert.Equal(t, exitPass, code, stdout+stderr)
	assert.Positive(t, good.Load())
	asked.Store(0)
	good.Store(0)
	code, stdout, stderr = call(t, nil, "load", "--env", file, "--workload", "head-end", "--rate", "20/s", "--duration", "1s", "--out", filepath.Join(out, "load"))
	assert.Contains(t, []int{exitPass, exitInvalid}, code, stdout+stderr)
	assert.Positive(t, asked.Load())
	assert.Equal(t, asked.Load(), good.Load())
}
