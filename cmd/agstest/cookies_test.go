package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
)

// TestCookiesOfAStickyBalancer: with cookies: keep, each scenario goes on with the cookie that it was given, and with
// no other's; without the key none is sent.
func TestCookiesOfAStickyBalancer(t *testing.T) {
	t.Parallel()
	running, err := startMock(mock.New(mock.Config{}), mockAddresses{service: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { running.stop(time.Second) })
	var given, back, strange atomic.Int64
	balancer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if cookie, err := r.Cookie("route"); err == nil {
			n, _ := strconv.ParseInt(strings.TrimPrefix(cookie.Value, "C4nary-node-"), 10, 64)
			if back.Add(1); n < 1 || n > given.Load() || !strings.HasPrefix(r.Header.Get("Cookie"), "fixed=of-the-file; ") {
				strange.Add(1)
			}
		} else {
			http.SetCookie(w, &http.Cookie{Name: "route", Value: "C4nary-node-" + strconv.FormatInt(given.Add(1), 10), Path: "/ags", HttpOnly: true})
		}
		running.mock.ServeHTTP(w, r)
	}))
	t.Cleanup(balancer.Close)
	out := t.TempDir()
	for _, keep := range []bool{true, false} {
		given.Store(0)
		back.Store(0)
		more := "headers: {Cookie: fixed=of-the-file}\n"
		if keep {
			more += "cookies: keep\n"
		}
		file := environmentElsewhere(t, running, balancer.URL, more)
		folder := filepath.Join(out, strconv.FormatBool(keep))
		code, stdout, stderr := call(t, nil, "conform", "--env", file, "--only", "SOST-01,REF-01,REF-02", "--generate", "0", "--sequences", "0", "--out", folder)
		assert.Equal(t, exitPass, code, stdout+stderr)
		assert.Equal(t, keep, back.Load() > 0)
		assert.Greater(t, given.Load(), int64(1), "no two scenarios share a jar")
		assert.Zero(t, strange.Load())
		for path, text := range allFiles(t, folder) {
			assert.NotContains(t, text, "C4nary-node", path)
		}
		given.Store(0)
		back.Store(0)
		code, stdout, stderr = call(t, nil, "load", "--env", file, "--workload", "refresh", "--rate", "40/s", "--duration", "1s", "--clients", "10", "--out", folder+"-load")
		assert.Contains(t, []int{exitPass, exitInvalid}, code, stdout+stderr)
		assert.Equal(t, keep, back.Load() > 0)
		if keep {
			assert.LessOrEqual(t, given.Load(), int64(13), "one jar a client, from its sign-on in the set-up on")
			assert.GreaterOrEqual(t, given.Load(), int64(10))
			assert.GreaterOrEqual(t, back.Load(), int64(30))
		}
		assert.Zero(t, strange.Load())
		for path, text := range allFiles(t, folder+"-load") {
			assert.NotContains(t, text, "C4nary-node", path)
		}
	}
	file := environmentElsewhere(t, running, balancer.URL, "cookies: jar\n")
	code, _, stderr := call(t, nil, "env", file)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "cookies: must be keep or none")
}
