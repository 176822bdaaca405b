package environment

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSourcesThatCannotWork are refused before anything is sent, with what to do.
func TestSourcesThatCannotWork(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"plain.sh": "#!/bin/sh\n", "tokens.txt": "one\ntwo\none\n", "blank.txt": "one \n", "empty.txt": "\n\n", "good.txt": "one\r\ntwo"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	for source, want := range map[string]string{
		`{command: ./mint.sh}`:                    "situations.active.sessionToken.command must be a list, such as",
		`{command: []}`:                           "must be a list, such as",
		`{command: [""]}`:                         "begins with the name of a program",
		`{command: [./nowhere.sh]}`:               "cannot find " + filepath.Join(dir, "nowhere.sh"),
		`{command: [./plain.sh]}`:                 "is no program that may be run; make it one: chmod +x",
		`{command: [mint, "${SECRET}"]}`:          "everybody on this machine can read the arguments of a process",
		`{command: [mint, !secret word]}`:         "everybody on this machine can read the arguments of a process",
		`{command: [mint, "{accuntId}"]}`:         "knows no {accuntId}; did you mean {accountId}",
		`{command: [mint, "{clientId}"]}`:         "needs clientId, which is not given here",
		`{command: [mint], pool: good.txt}`:       "give one of command, request and pool",
		`{comand: [mint]}`:                        "did you mean command?",
		`{}`:                                      "must be a session token, or say where they come from",
		`{pool: nowhere.txt}`:                     "cannot read " + filepath.Join(dir, "nowhere.txt"),
		`{pool: tokens.txt}`:                      "tokens.txt:3: this session token is in line 1 already",
		`{pool: blank.txt}`:                       "blank.txt:1: the session token ends in white space",
		`{pool: empty.txt}`:                       "holds no session token; it has one a line",
		"[one]":                                   "must be a single value",
		"x, sessionToken.from: {command: [mint]}": "unknown key in situations.active; did you mean sessionToken?",
	} {
		_, err := Parse([]byte("url: http://127.0.0.1:1\nsituations: {active: {accountId: \"1\", sessionToken: "+source+"}}\n"), "env.yaml", dir, func(string) (string, bool) { return "s3cret", true })
		if assert.ErrorContains(t, err, want, source) {
			assert.NotContains(t, err.Error(), "s3cret")
		}
	}
	for _, source := range []string{`{command: [mint, "{accountId}", "{print}"]}`, `{pool: good.txt}`, `{command: [mint, !public "${NAME}"]}`} {
		e, err := Parse([]byte("url: http://127.0.0.1:1\nsituations: {active: {accountId: \"1\", clientId: A, sessionToken: "+source+"}}\n"), "env.yaml", dir, func(string) (string, bool) { return "word", true })
		require.NoError(t, err, source)
		assert.True(t, e.Abilities()[0].Offered)
		_, err = e.Portable()
		assert.ErrorContains(t, err, "situations.active.sessionToken comes from a")
		shown, err := e.Shown()
		require.NoError(t, err)
		again, err := Parse(shown, "env.yaml", dir, func(string) (string, bool) { return "", false })
		require.NoError(t, err, string(shown))
		assert.Equal(t, e.Situations, again.Situations)
	}
}

// TestNamesInBracesOfPatterns: one that is misspelt, or that has no value there, would be sent as it is written.
func TestNamesInBracesOfPatterns(t *testing.T) {
	parse := func(account, pattern string) error {
		text := "url: http://127.0.0.1:1\noperator: {secret: s3cret, kid: k, account: \"" + account + "\"}\n" +
			"load: {clients: {count: 2, clientId: \"D{n}\", accountId: \"" + pattern + "\"}}\n"
		_, err := Parse([]byte(text), "env.yaml", ".", func(string) (string, bool) { return "", false })
		return err
	}
	for account, want := range map[string]string{
		"OPF-{accountid}": "env.yaml:2: operator.account: knows no {accountid}; did you mean {accountId}?",
		"OPF-{clientId}":  "env.yaml:2: operator.account: needs clientId, which is not given here",
	} {
		assert.EqualError(t, parse(account, "L{n}"), want)
	}
	for pattern, want := range map[string]string{
		"L{N}":        "env.yaml:3: load.clients.accountId: knows no {N}; did you mean {n}?",
		"{accountId}": "env.yaml:3: load.clients.accountId: needs accountId, which is not given here",
	} {
		assert.EqualError(t, parse("1663", pattern), want)
	}
	for _, sound := range []string{"OPF-{accountId}", "1663", "{print}", "{x"} {
		assert.NoError(t, parse(sound, "L1"), sound)
	}
}
