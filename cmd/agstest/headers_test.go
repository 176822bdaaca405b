package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
)

// doorkeeper lets requests through to a mock that carry a ticket of its own, each of which is good for some time.
type doorkeeper struct {
	mu      sync.Mutex
	life    time.Duration
	most    int // tickets that are given away; 0: any number
	tickets map[string]time.Time
	refused int
	asked   int
}

func (d *doorkeeper) give() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.asked++; d.most > 0 && d.asked > d.most {
		return ""
	}
	ticket := fmt.Sprintf("C4nary-ticket-%04d", len(d.tickets)+1)
	d.tickets[ticket] = time.Now()
	return ticket
}

func (d *doorkeeper) good(header string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	given, known := d.tickets[strings.TrimPrefix(header, "Ticket ")]
	if ok := known && strings.HasPrefix(header, "Ticket ") && time.Since(given) < d.life; ok {
		return true
	}
	d.refused++
	return false
}

func (d *doorkeeper) reset(most int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tickets, d.refused, d.asked, d.most = map[string]time.Time{}, 0, 0, most
}

func (d *doorkeeper) counts() (given, refused int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.tickets), d.refused
}

// TestHeadersThatAreRenewed: a gateway's ticket comes from a request, is renewed while conform and load run, and stands
// nowhere. If it cannot be renewed, nothing is blamed on the service.
func TestHeadersThatAreRenewed(t *testing.T) {
	t.Parallel()
	running, err := startMock(mock.New(mock.Config{}), mockAddresses{service: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { running.stop(time.Second) })
	door := &doorkeeper{life: time.Minute}
	var far atomic.Int64 // how long a request takes
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ticket" {
			ticket := ""
			if r.Header.Get("X-Api-Key") == "k-9a7b6c5d4e3f2a1b" {
				ticket = door.give()
			}
			if ticket == "" {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			_ = json.NewEncoder(w).Encode(map[string]string{"ticket": ticket})
			return
		}
		if !door.good(r.Header.Get("X-Gate")) {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		time.Sleep(time.Duration(far.Load()))
		running.mock.ServeHTTP(w, r)
	}))
	t.Cleanup(gateway.Close)
	file := environmentElsewhere(t, running, gateway.URL, `headers: {X-Fixed: one, X-Gate: {request: {method: POST, url: "`+gateway.URL+`/ticket", headers: {X-Api-Key: "${KEY}"}}, token: /ticket, renew: 1s, before: Ticket}}`+"\n")
	variables, out := map[string]string{"KEY": "k-9a7b6c5d4e3f2a1b"}, t.TempDir()
	conform := func(name string) (int, string) {
		far.Store(int64(80 * time.Millisecond))
		defer far.Store(0)
		code, stdout, stderr := call(t, variables, "conform", "--env", file, "--only", "SOST-01,REF-01", "--concurrency", "1", "--strict", "--generate", "0", "--sequences", "0", "--out", filepath.Join(out, name))
		return code, stdout + stderr
	}
	load := func(name string) (int, string) {
		code, stdout, stderr := call(t, variables, "load", "--env", file, "--workload", "mixed", "--mix", "signon=1,refresh=2,discover=1", "--rate", "20/s", "--duration", "2s", "--out", filepath.Join(out, name))
		return code, stdout + stderr
	}
	texts := map[string]string{}

	door.reset(0)
	code, text := conform("conform")
	given, refused := door.counts()
	assert.Equal(t, exitPass, code, text)
	assert.Zero(t, refused)
	assert.Greater(t, given, 1, "it was renewed")
	texts["conform"] = text

	door.reset(0)
	code, text = load("load")
	given, refused = door.counts()
	assert.Contains(t, []int{exitPass, exitInvalid}, code, text)
	assert.NotContains(t, text, "ended")
	assert.Zero(t, refused)
	assert.Greater(t, given, 1, "it was renewed")
	texts["load"] = text

	door.reset(1)
	code, text = load("load-ends")
	_, refused = door.counts()
	assert.NotContains(t, []int{exitPass, exitFail}, code, text)
	// In the load or, on a slow machine, before it.
	assert.Regexp(t, `(it was ended, as it could not go on|agstest: set-up|nothing was sent): the header X-Gate has no value: the request POST `+regexp.QuoteMeta(gateway.URL)+`/ticket was answered with status 503`, text)
	assert.Zero(t, refused, "a ticket is in use while a new one is asked for")
	texts["load that ends"] = text

	door.reset(1)
	code, text = conform("conform-ends")
	if code != exitInconclusive { // a slow machine has judged nothing before
		assert.Equal(t, exitSetup, code, text)
		assert.Contains(t, text, "2 could not tell")
	}
	assert.Contains(t, text, "was not sent: the header X-Gate has no value: the request POST "+gateway.URL+"/ticket was answered with status 503")
	texts["conform that ends"] = text

	variables = map[string]string{"KEY": "another-key-altogether"}
	code, text = conform("conform-never")
	assert.Equal(t, exitSetup, code, text)
	assert.Contains(t, text, "nothing was sent: the header X-Gate has no value")
	assert.Contains(t, text, filepath.Base(file)+":", "the line")
	code, text = load("load-never")
	assert.Equal(t, exitSetup, code, text)
	assert.Contains(t, text, "nothing was sent: the header X-Gate has no value")

	code, stdout, stderr := call(t, variables, "env", file)
	assert.Equal(t, exitPass, code, stderr)
	assert.Contains(t, stdout, "headers:\n  X-Fixed: one\n  X-Gate:\n    request:\n")
	assert.Contains(t, stdout, `X-Api-Key: "[secret, from ${KEY}]"`)
	texts["env"] = stdout + stderr
	maps.Copy(texts, allFiles(t, out))
	for name, text := range texts {
		assert.NotContains(t, text, "C4nary-ticket", name)
		assert.NotContains(t, text, "k-9a7b6c5d4e3f2a1b", name)
	}
}

// TestPasswordsAreEncrypted: each password, right or wrong, is what the command of the file makes of it; neither form
// stands anywhere.
func TestPasswordsAreEncrypted(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the script of this test is for sh")
	}
	running, err := startMock(mock.New(mock.Config{}), mockAddresses{service: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { running.stop(time.Second) })
	var mu sync.Mutex
	ciphers, clear := map[string]string{}, []string(nil)
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/signOn") {
			var body map[string]any
			_ = json.NewDecoder(r.Body).Decode(&body)
			list, _ := body["parameters"].([]any)
			for _, one := range list {
				if p, ok := one.(map[string]any); ok && p["name"] == "password" {
					value, _ := p["value"].(string)
					plain, err := hex.DecodeString(value)
					mu.Lock()
					if len(value) >= 12 {
						ciphers[value] = "a password"
					}
					if err != nil {
						clear = append(clear, value)
					}
					mu.Unlock()
					p["value"] = string(plain)
				}
			}
			text, _ := json.Marshal(body)
			r.ContentLength = int64(len(text))
			r.Body = io.NopCloser(bytes.NewReader(text))
		}
		running.mock.ServeHTTP(w, r)
	}))
	t.Cleanup(gateway.Close)
	file := environmentElsewhere(t, running, gateway.URL, "encryptPassword: {command: [./encrypt.sh]}\n")
	script := filepath.Join(filepath.Dir(file), "encrypt.sh")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\nod -An -v -tx1 | tr -d ' \\n'\n"), 0o700))
	out := t.TempDir()
	conform := func(name string) (int, string) {
		code, stdout, stderr := call(t, nil, "conform", "--env", file, "--only", "SSO-01,SSO-08", "--generate", "0", "--sequences", "0", "--strict", "--out", filepath.Join(out, name))
		return code, stdout + stderr
	}
	code, text := conform("encrypted")
	assert.Equal(t, exitPass, code, text)
	assert.Empty(t, clear)
	assert.Greater(t, len(ciphers), 2, "right and wrong ones")
	texts := map[string]string{"the streams": text}
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\nread p; echo \"no key for $p\" >&2; exit 2\n"), 0o700))
	before := len(ciphers)
	code, text = conform("broken")
	assert.NotContains(t, []int{exitPass, exitFail}, code, text)
	assert.Contains(t, text, "its password could not be encrypted: the command "+script+" failed (exit status 2); it said: no key for [secret]")
	assert.Len(t, ciphers, before, "nothing was sent")
	texts["the streams of the broken one"] = text
	maps.Copy(texts, allFiles(t, out))
	for _, hit := range search(texts, ciphers) {
		t.Error(hit)
	}
	bad := environmentElsewhere(t, running, gateway.URL, "wrongPassword: x\nencryptPassword: {command: [cat]}\n")
	code, _, stderr := call(t, nil, "env", bad)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "wrongPassword: is made and encrypted like every password (encryptPassword); leave one of the two out")
}

// TestHeadersOfTheOperatorAreRenewed: getSessionToken alone carries them, in conform, while a load is set up, and as
// the hit of a load.
func TestHeadersOfTheOperatorAreRenewed(t *testing.T) {
	t.Parallel()
	running, err := startMock(mock.New(mock.Config{}), mockAddresses{service: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { running.stop(time.Second) })
	door := &doorkeeper{life: time.Minute}
	door.reset(0)
	var astray atomic.Int64
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		minting := strings.HasSuffix(r.URL.Path, "/getSessionToken")
		switch {
		case r.URL.Path == "/ticket":
			_ = json.NewEncoder(w).Encode(map[string]string{"ticket": door.give()})
			return
		case minting && !door.good(r.Header.Get("X-Portal")):
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		case !minting && r.Header.Get("X-Portal") != "":
			astray.Add(1)
		}
		running.mock.ServeHTTP(w, r)
	}))
	t.Cleanup(gateway.Close)
	file := environmentElsewhere(t, running, gateway.URL, "")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	said := strings.Replace(string(text), "operator: {", "operator: {headers: {X-Portal: {request: {url: \""+gateway.URL+"/ticket\"}, token: /ticket, before: Ticket}}, ", 1)
	require.NotEqual(t, string(text), said)
	require.NoError(t, os.WriteFile(file, []byte(said), 0o600))
	for _, args := range [][]string{
		{"conform", "--env", file, "--only", "GST-01,SOST-01", "--generate", "0", "--sequences", "0", "--strict"},
		{"load", "--env", file, "--workload", "head-end", "--rate", "20/s", "--duration", "1s"},
		{"load", "--env", file, "--workload", "refresh", "--rate", "20/s", "--duration", "1s"},
	} {
		code, stdout, stderr := call(t, nil, append(args, "--out", filepath.Join(t.TempDir(), "out"))...)
		assert.Contains(t, []int{exitPass, exitInvalid}, code, stdout+stderr)
		assert.NotContains(t, stdout, "status 407")
	}
	given, refused := door.counts()
	assert.Equal(t, 3, given, "one for each run")
	assert.Zero(t, refused)
	assert.Zero(t, astray.Load())
}
