package kept

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
)

var (
	key = strings.Repeat("k", shortestKey)
	of  = Of{URL: "https://ags.example", Tenant: "nagra"}
	now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
)

func token(situation string, kept, life time.Duration) Token {
	return Token{Situation: situation, ClientID: "PUB_1", RefreshToken: "rt-of-the-past", Kept: now.Add(-kept), Expires: now.Add(-kept + life)}
}

func TestWhatIsKeptIsReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "staging.yaml.kept")
	tokens, err := Read(path, key, of)
	require.NoError(t, err)
	assert.Empty(t, tokens)
	count, err := Add(path, key, of, []Token{token("active", time.Hour, time.Minute)}, now)
	require.NoError(t, err)
	assert.Equal(t, 1, count)
	tokens, err = Read(path, key, of)
	require.NoError(t, err)
	assert.Equal(t, []Token{token("active", time.Hour, time.Minute)}, tokens)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "rt-of-the-past")
	assert.NotContains(t, string(text), "PUB_1")
	if info, _ := os.Stat(path); runtime.GOOS != "windows" {
		assert.EqualValues(t, 0o600, info.Mode().Perm())
	}
	_, err = Add(path, key, of, nil, now)
	require.NoError(t, err)
	again, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.NotEqual(t, text, again, "the same tokens are sealed with another salt and nonce")
	left, err := filepath.Glob(path + "*")
	require.NoError(t, err)
	assert.Len(t, left, 1)
}

// TestTheMostTelling: of each situation two that hold and two that have expired are kept, the newest; none for ever.
func TestTheMostTelling(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.kept")
	var all []Token
	for i := range 6 {
		all = append(all, token("active", time.Duration(i+1)*24*time.Hour, time.Hour), token("active", time.Duration(i)*time.Hour, 24*time.Hour))
	}
	all = append(all, token("suspended-account", time.Hour, 2*time.Hour), token("cancelled-account", 500*24*time.Hour, time.Hour))
	count, err := Add(path, key, of, all, now)
	require.NoError(t, err)
	assert.Equal(t, 5, count)
	tokens, err := Read(path, key, of)
	require.NoError(t, err)
	assert.Equal(t, []Token{all[1], all[3], all[12], all[0], all[2]}, tokens)
}

// TestFilesThatAreNotUsed: each is refused with what to do, and no error quotes what is sealed.
func TestFilesThatAreNotUsed(t *testing.T) {
	for name, test := range map[string]struct {
		change func(t *testing.T, path string) (string, Of) // gives the key and the service
		want   string
	}{
		"another key":     {func(*testing.T, string) (string, Of) { return strings.Repeat("x", shortestKey), of }, "it was written with another key, or changed since"},
		"no key":          {func(*testing.T, string) (string, Of) { return "", of }, "AGSTEST_KEPT_KEY is not set"},
		"a short key":     {func(*testing.T, string) (string, Of) { return "word", of }, "holds 4 characters, and a key has at least 32"},
		"another service": {func(*testing.T, string) (string, Of) { return key, Of{URL: "https://other.example", Tenant: "nagra"} }, "holds tokens of another service (https://ags.example, tenant \"nagra\"), which must not be sent to https://other.example"},
		"another tenant":  {func(*testing.T, string) (string, Of) { return key, Of{URL: of.URL, Tenant: "acme"} }, "holds tokens of another service"},
		"passed off as another's": {func(t *testing.T, path string) (string, Of) {
			rewrite(t, path, "ags.example", "bad.example")
			return key, Of{URL: "https://bad.example", Tenant: "nagra"}
		}, "it was written with another key, or changed since"},
		"another form": {func(t *testing.T, path string) (string, Of) {
			rewrite(t, path, `"agstest-kept":1`, `"agstest-kept":2`)
			return key, of
		}, "was written by another version of agstest, in form 2"},
		"cut off": {func(t *testing.T, path string) (string, Of) {
			require.NoError(t, os.Truncate(path, 300))
			return key, of
		}, "changed since"},
		"something else": {func(t *testing.T, path string) (string, Of) {
			require.NoError(t, os.WriteFile(path, []byte("rt-of-the-past"), 0o600))
			return key, of
		}, "holds no kept tokens, though it is called so"},
		"no salt": {func(t *testing.T, path string) (string, Of) {
			require.NoError(t, os.WriteFile(path, []byte(`{"agstest-kept":1,"of":{"url":"https://ags.example","tenant":"nagra"}}`+"\nAAAA\n"), 0o600))
			return key, of
		}, "is damaged; remove it and prepare again"},
		"a folder": {func(t *testing.T, path string) (string, Of) {
			require.NoError(t, os.Remove(path))
			require.NoError(t, os.Mkdir(path, 0o700))
			return key, of
		}, "it is no plain file"},
		"readable for others": {func(t *testing.T, path string) (string, Of) {
			if runtime.GOOS == "windows" {
				t.Skip("who may read a file is its folder's to say there")
			}
			require.NoError(t, os.Chmod(path, 0o644))
			return key, of
		}, "others may read it (mode 0644); make it yours alone: chmod 600"},
		"another user's": {func(t *testing.T, path string) (string, Of) {
			if os.Getuid() != 0 {
				t.Skip("only root can give a file away")
			}
			require.NoError(t, os.Chown(path, 65534, 65534))
			return key, of
		}, "the file belongs to another user"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "staging.yaml.kept")
			_, err := Add(path, key, of, []Token{token("active", time.Hour, time.Minute)}, now)
			require.NoError(t, err)
			given, service := test.change(t, path)
			_, err = Read(path, given, service)
			require.ErrorContains(t, err, test.want)
			assert.Equal(t, failure.Usage, failure.KindOf(err))
			assert.NotContains(t, err.Error(), "rt-of-the-past")
			before, _ := os.ReadFile(path)
			_, err = Add(path, given, service, []Token{token("active", time.Hour, time.Minute)}, now)
			assert.Error(t, err, "nothing is written over")
			after, _ := os.ReadFile(path)
			assert.Equal(t, before, after)
		})
	}
}

func rewrite(t *testing.T, path, from, to string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(text), from)
	require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(string(text), from, to)), 0o600))
}
