package tokens

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
)

func script(t *testing.T, dir, text string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the scripts of this test are for sh")
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mint.sh"), []byte("#!/bin/sh\n"+text+"\n"), 0o700))
	return "./mint.sh"
}

// read makes an environment whose active account has its session tokens from a source.
func read(t *testing.T, dir, source string) *environment.Environment {
	t.Helper()
	e, err := environment.Parse([]byte("url: http://127.0.0.1:1\ntenant: nagra\nsituations: {active: {accountId: \"1663; echo x\", clientId: PUB_1, sessionToken: "+source+"}}\n"), "env.yaml", dir, func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	return e
}

func TestTokenOfACommand(t *testing.T) {
	dir := t.TempDir()
	command := script(t, dir, `printf '%s|%s|%s|%s\r\n' "$1" "$2" "$3" "$(cat beside.txt)"; echo a word on the side >&2`)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "beside.txt"), []byte("in the folder of the file"), 0o600))
	e := read(t, dir, `{command: [`+command+`, "{accountId}", "x-{clientId}", "{tenant}"]}`)
	s := New(e)
	token, err := s.Take(context.Background(), e.Situations["active"].SessionTokens, Names{AccountID: "1663; echo x", ClientID: "PUB_1", Tenant: "nagra"})
	require.NoError(t, err)
	assert.Equal(t, "1663; echo x|x-PUB_1|nagra|in the folder of the file", token)
	_, err = s.Take(context.Background(), e.Situations["active"].SessionTokens, Names{AccountID: "1663; echo x", ClientID: "PUB_1", Tenant: "nagra"})
	assert.ErrorContains(t, err, "gave a session token that was given before")
}

func TestCommandThatGivesNone(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"fails":          {`echo st-made-already; echo cannot mint st-made-already, sorry >&2; exit 3`, "failed (exit status 3); it said: cannot mint [secret], sorry"},
		"says nothing":   {`echo nobody is there >&2`, "wrote nothing to stdout; it said: nobody is there"},
		"says too much":  {`yes`, "wrote more than 8192 bytes"},
		"two lines":      {`echo a; echo b`, "what is no session token: it holds a line break"},
		"escapes":        {`printf 'a\033[31m\n'; exit 0`, "holds a control character"},
		"loud complaint": {`i=0; while [ $i -lt 200 ]; do echo "word $i" >&2; i=$((i+1)); done; exit 1`, "it said: …"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			e := read(t, dir, `{command: [`+script(t, dir, test.text)+`]}`)
			_, err := New(e).Take(context.Background(), e.Situations["active"].SessionTokens, Names{})
			require.ErrorContains(t, err, test.want)
			assert.NotContains(t, err.Error(), "st-made-already")
			assert.Less(t, len(err.Error()), 600)
		})
	}
}

// TestCommandThatLeavesAProcessBehind: what the command wrote is the token, though somebody else still holds the
// stream.
func TestCommandThatLeavesAProcessBehind(t *testing.T) {
	dir := t.TempDir()
	e := read(t, dir, `{command: [`+script(t, dir, "sleep 300 &\necho $! >left; printf 'a-token-'; echo 'of-two-parts'")+`]}`)
	began := time.Now()
	token, err := New(e).Take(context.Background(), e.Situations["active"].SessionTokens, Names{})
	require.NoError(t, err)
	assert.Equal(t, "a-token-of-two-parts", token)
	assert.Less(t, time.Since(began), 5*time.Minute, "nobody waits for the process that is left")
	left, err := os.ReadFile(filepath.Join(dir, "left"))
	require.NoError(t, err)
	number, err := strconv.Atoi(strings.TrimSpace(string(left)))
	require.NoError(t, err)
	process, err := os.FindProcess(number)
	require.NoError(t, err)
	require.NoError(t, process.Kill())
}

// TestCommandThatHangs: the processes of a command end with it, and a source that fails is not waited for again and
// again.
func TestCommandThatHangs(t *testing.T) {
	dir := t.TempDir()
	e := read(t, dir, `{command: [`+script(t, dir, "sleep 60 &\nsleep 60")+`]}`)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		_, err := New(e).Take(ctx, e.Situations["active"].SessionTokens, Names{})
		done <- err
	}()
	cancel()
	assert.ErrorIs(t, <-done, context.Canceled)

	e = read(t, dir, `{command: [`+script(t, dir, "echo x >>count; exit 1")+`]}`)
	s := New(e)
	var err error
	for range 5 {
		_, err = s.Take(context.Background(), e.Situations["active"].SessionTokens, Names{})
	}
	assert.ErrorContains(t, err, "3 times in a row, so that it is asked no more")
	count, _ := os.ReadFile(filepath.Join(dir, "count"))
	assert.Equal(t, 3, strings.Count(string(count), "x"))
}

// TestEachTokenOfAPoolIsUsedOnce: at the same time, and over runs.
func TestEachTokenOfAPoolIsUsedOnce(t *testing.T) {
	dir := t.TempDir()
	pool := filepath.Join(dir, "tokens.txt")
	var text strings.Builder
	for i := range 40 {
		fmt.Fprintf(&text, "st-%d\r\n", i)
	}
	require.NoError(t, os.WriteFile(pool, []byte("\ufeff"+text.String()), 0o600))
	e := read(t, dir, `{pool: tokens.txt}`)
	var mu sync.Mutex
	seen := map[string]bool{}
	var all sync.WaitGroup
	for range 3 {
		s := New(e)
		for range 10 {
			all.Go(func() {
				token, err := s.Take(context.Background(), e.Situations["active"].SessionTokens, Names{})
				assert.NoError(t, err)
				mu.Lock()
				defer mu.Unlock()
				assert.False(t, seen[token], token)
				seen[token] = true
			})
		}
	}
	all.Wait()
	assert.Len(t, seen, 30)
	left, err := Unused(e.Situations["active"].SessionTokens)
	require.NoError(t, err)
	assert.Equal(t, 10, left)
	_, err = TakePool(e.Situations["active"].SessionTokens, 11)
	assert.ErrorContains(t, err, "holds 10 session tokens that are not used yet, and 11 are needed")
	taken, err := TakePool(e.Situations["active"].SessionTokens, 10)
	require.NoError(t, err)
	assert.Len(t, taken, 10)
	notes, err := os.ReadFile(pool + usedSuffix)
	require.NoError(t, err)
	assert.NotContains(t, string(notes), "st-", "what is noted gives no token away")
}
