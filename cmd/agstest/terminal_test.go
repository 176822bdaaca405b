package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestColor(t *testing.T) {
	tests := []struct {
		name      string
		flag      string
		variables map[string]string
		want      bool
	}{
		{"no terminal", "auto", nil, false},
		{"always", "always", map[string]string{"NO_COLOR": "1", "TERM": "dumb"}, true},
		{"never beats all", "never", map[string]string{"FORCE_COLOR": "1"}, false},
		{"NO_COLOR beats FORCE_COLOR", "auto", map[string]string{"NO_COLOR": "1", "FORCE_COLOR": "1"}, false},
		{"an empty NO_COLOR is none", "auto", map[string]string{"NO_COLOR": "", "FORCE_COLOR": "1"}, true},
		{"FORCE_COLOR", "auto", map[string]string{"FORCE_COLOR": "1"}, true},
		{"CLICOLOR_FORCE", "auto", map[string]string{"CLICOLOR_FORCE": "1"}, true},
		{"FORCE_COLOR=0", "auto", map[string]string{"FORCE_COLOR": "0"}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := &program{color: test.flag, getenv: func(name string) (string, bool) { v, ok := test.variables[name]; return v, ok }}
			assert.Equal(t, test.want, p.colored(&bytes.Buffer{}))
		})
	}
}

func TestProgressOffATerminal(t *testing.T) {
	var out bytes.Buffer
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p := &progress{w: &out, now: func() time.Time { return now }, last: now}
	for range 250 { // 25 s in steps of 100 ms
		now = now.Add(100 * time.Millisecond)
		p.show(func() string { return now.Format("05") })
	}
	p.end()
	assert.Equal(t, "10\n20\n", out.String(), "one plain line every ten seconds and nothing else")
}

func TestProgressOnATerminal(t *testing.T) {
	var out bytes.Buffer
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p := &progress{w: &out, now: func() time.Time { return now }, rewrite: true}
	p.show(func() string { return "one" })
	p.show(func() string { return "too early" })
	now = now.Add(time.Second)
	p.show(func() string { return "two" })
	p.end()
	p.show(func() string { return "after the end" })
	assert.Equal(t, "\rone\x1b[K\rtwo\x1b[K\r\x1b[K", out.String())
}

func TestQuietShowsNoProgress(t *testing.T) {
	var out bytes.Buffer
	p := (&program{stderr: &out, quiet: true, now: time.Now, getenv: func(string) (string, bool) { return "", false }}).newProgress()
	p.last = p.last.Add(-time.Hour)
	p.show(func() string { return "x" })
	assert.Empty(t, out.String())
}
