package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
)

// tattling answers some calls with 500 and says back all that it was told, in prose, in JSON and in headers.
func tattling(next http.Handler) http.Handler {
	var calls atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := calls.Add(1)
		if r.Method != http.MethodPost || n%4 != 3 || strings.HasSuffix(r.URL.Path, "getSessionToken") {
			next.ServeHTTP(w, r)
			return
		}
		body, _ := io.ReadAll(r.Body)
		inner := httptest.NewRecorder()
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(inner, r)
		w.Header().Set("Set-Cookie", "session=canary-of-a-cookie-1234; Path=/")
		w.Header().Set("X-Debug", "asked with "+r.Header.Get("Authorization"))
		w.Header().Set("traceparent", "00-"+r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(w, "cannot take %s: %s instead of %s", r.Header.Get("Authorization"), body, inner.Body)
	})
}

// TestNoSecretOfAKeptExchangeLeavesTheProcess searches what loads with wrong answers write for the secrets of those
// answers and their requests. That they are written at all, and with them who asked, is looked at too.
func TestNoSecretOfAKeptExchangeLeavesTheProcess(t *testing.T) {
	t.Parallel()
	heard := &overheard{secrets: map[string]string{"canary-of-a-cookie-1234": "a cookie"}}
	m, file, e := heard.mock(t, nil, tattling)
	dir := t.TempDir()
	var streams strings.Builder
	for i, more := range [][]string{
		{"--workload", "mixed", "--mix", "signon=1,refresh=2", "--raw", "--trace", "--traceparent", "--annotations", "github"},
		{"--workload", "signon", "--json"},
		{"--workload", "signon-first", "--show-ids", "--yes", strings.TrimPrefix(e.URL, "http://")},
	} {
		args := append([]string{"load", "--env", file, "--rate", "150/s", "--duration", "400ms", "--seed", "7", "--max-lag", "1m", "--out", filepath.Join(dir, fmt.Sprint("load", i))}, more...)
		code, stdout, stderr := call(t, nil, args...)
		assert.Contains(t, []int{exitFail, exitInvalid}, code, "%v: %s", args, stderr) // so short a run may be invalid
		streams.WriteString(stdout + stderr)
	}
	texts := everythingSaid(t, dir, heard, append(m.Secrets(), e.Secrets()...), streams.String())
	for _, hit := range search(texts, heard.secrets) {
		t.Error(hit)
	}

	open := func(n int) *reports.Load {
		file, err := os.Open(filepath.Join(dir, fmt.Sprint("load", n), reports.LoadFile))
		require.NoError(t, err)
		defer file.Close()
		l, err := reports.ReadLoad(file)
		require.NoError(t, err)
		return l
	}
	mixed := open(0)
	wrong := mixed.ExamplesOf("refresh", "status")
	require.NotEmpty(t, wrong)
	first := wrong[0]
	require.NotNil(t, first.Exchange)
	assert.Contains(t, first.Exchange.ResponseBody, "cannot take Bearer «refresh token")
	assert.Contains(t, first.Exchange.Curl, `-H 'Authorization: Bearer '"$REFRESH_TOKEN"`)
	assert.Contains(t, first.Exchange.Curl, "-H 'x-correlation-id: "+first.Hit.CorrelationID)
	assert.Regexp(t, `^client \d+ \(device ...?….*, account`, first.Hit.Client)
	assert.Regexp(t, `^00-[0-9a-f]{32}-[0-9a-f]{16}-01$`, first.Hit.TraceParent)
	assert.NotNil(t, first.Hit.Phases)
	require.NotNil(t, mixed.Trace)
	assert.Equal(t, mixed.Total.Sent, mixed.Trace.Sent)
	assert.NotZero(t, mixed.Trace.Back)
	assert.Zero(t, mixed.Trace.Same, "what came back is of no trace")
	assert.Nil(t, open(1).Trace)
	device := open(1).ExamplesOf("signon", "status")[0]
	assert.Contains(t, device.Exchange.RequestBody, "…", "ids are masked")
	shown := open(2).ExamplesOf("signon-first", "status")[0]
	assert.NotContains(t, shown.Hit.Client+shown.Exchange.RequestBody, "…")
}
