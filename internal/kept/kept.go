// Package kept keeps refresh tokens for a later run, which needs tokens of the past: expired by then, or of an account
// that was shut out since. They are encrypted at rest.
//
// A file has two lines. The first is readable JSON: the service of the tokens, and the parameters for decrypting beside
// the key. The second is the tokens, sealed with AES-256 in GCM (NIST SP 800-38D) under a key that HKDF (RFC 5869)
// makes of the user's key and a salt of the file, so that no key meets a nonce twice. The first line is authenticated
// with it: tokens of one service cannot be passed off as those of another.
package kept

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"agstest/internal/failure"
	"agstest/internal/wholefile"
)

// Variable is the name of the environment variable that holds the key.
const Variable = "AGSTEST_KEPT_KEY"

// shortestKey is how many characters a key has at least.
const shortestKey = 32

// The bounds of a file.
const (
	maxOfAccount = 4                    // tokens of a situation
	maxFile      = 1 << 20              // bytes
	longestKept  = 400 * 24 * time.Hour // after which a token shows nothing that one of last month does not
	version      = 1
)

// Token is a refresh token that was kept.
type Token struct {
	Situation    string    `json:"situation"` // whose account signed on
	AccountID    string    `json:"accountId,omitempty"`
	ClientID     string    `json:"clientId"`
	Tenant       string    `json:"tenant,omitempty"`
	RefreshToken string    `json:"refreshToken"`
	Kept         time.Time `json:"kept"`
	Expires      time.Time `json:"expires"` // by its claim exp, or by refresh_expires_in
}

// Of says which service tokens are of: they are of no use at another one, and must not be sent there.
type Of struct {
	URL    string `json:"url"`
	Tenant string `json:"tenant,omitempty"`
}

// head is the first line of a file.
type head struct {
	Version int       `json:"agstest-kept"`
	Of      Of        `json:"of"`
	Written time.Time `json:"written"`
	Salt    []byte    `json:"salt"`
	Nonce   []byte    `json:"nonce"`
}

// Place is the file of kept tokens beside an environment file.
func Place(environment string) string { return environment + ".kept" }

// checkKey refuses a key that could be guessed. Its error is of the kind failure.Usage.
func checkKey(key string) error {
	switch {
	case key == "":
		return failure.Usagef("%s is not set: it holds the key that kept tokens are encrypted with; make one, and keep it "+
			"where secrets are: export %[1]s=\"$(agstest prepare --new-key)\"", Variable)
	case len(key) < shortestKey:
		return failure.Usagef("%s holds %d characters, and a key has at least %d; make one: agstest prepare --new-key",
			Variable, len(key), shortestKey)
	}
	return nil
}

// NewKey is a key that nobody can guess.
func NewKey() string { return rand.Text() + rand.Text() }

// Read returns the tokens of a file; none if there is no file. Its errors are of the kind failure.Usage and say what to
// do.
func Read(path, key string, of Of) ([]Token, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	text, err := readOwn(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, failure.Usagef("the kept tokens in %s cannot be used: %w", path, err)
	}
	first, sealed, found := bytes.Cut(text, []byte("\n"))
	var h head
	if !found || json.Unmarshal(first, &h) != nil || h.Version == 0 {
		return nil, failure.Usagef("%s holds no kept tokens, though it is called so; name it otherwise", path)
	}
	if h.Version != version {
		return nil, failure.Usagef("%s was written by another version of agstest, in form %d where this one reads %d; "+
			"prepare again: remove it first", path, h.Version, version)
	}
	if h.Of != of {
		return nil, failure.Usagef("%s holds tokens of another service (%s, tenant %q), which must not be sent to %s; "+
			"where the address has changed, remove it and prepare again",
			path, h.Of.URL, h.Of.Tenant, of.URL)
	}
	seal, err := sealOf(key, h)
	if err != nil {
		return nil, failure.Usagef("%s is damaged; remove it and prepare again", path)
	}
	cipherText, err := base64.StdEncoding.AppendDecode(nil, bytes.TrimSuffix(sealed, []byte("\n")))
	if err == nil {
		text, err = seal.Open(nil, h.Nonce, cipherText, first)
	}
	if err != nil {
		return nil, failure.Usagef("%s cannot be opened with the key in %s: it was written with another key, or changed "+
			"since; give that key, or remove the file and prepare again", path, Variable)
	}
	var tokens []Token
	if json.Unmarshal(text, &tokens) != nil {
		return nil, failure.Usagef("%s is damaged; remove it and prepare again", path)
	}
	return tokens, nil
}

// Add keeps tokens beside those that a file has, and tells how many it has then. Of each situation 4 are kept at most,
// those that show most: the newest, and the newest of those that have expired. Its error is of the kind failure.Usage.
func Add(path, key string, of Of, more []Token, now time.Time) (int, error) {
	tokens, err := Read(path, key, of)
	if err != nil {
		return 0, err
	}
	tokens = bounded(append(tokens, more...), now)
	return len(tokens), write(path, key, of, tokens, now)
}

func bounded(tokens []Token, now time.Time) []Token {
	slices.SortStableFunc(tokens, func(a, b Token) int { return b.Kept.Compare(a.Kept) })
	fresh, past := map[string]int{}, map[string]int{}
	return slices.DeleteFunc(tokens, func(t Token) bool {
		count := fresh
		if t.Expires.Before(now) {
			count = past
		}
		count[t.Situation]++
		return now.Sub(t.Kept) > longestKept || count[t.Situation] > maxOfAccount/2
	})
}

func write(path, key string, of Of, tokens []Token, now time.Time) error {
	h := head{Version: version, Of: of, Written: now.UTC().Truncate(time.Second), Salt: make([]byte, 32),
		Nonce: make([]byte, 12)}
	rand.Read(h.Salt)
	rand.Read(h.Nonce)
	first, err := json.Marshal(h)
	if err != nil {
		return err
	}
	text, err := json.Marshal(tokens)
	if err != nil {
		return err
	}
	seal, err := sealOf(key, h)
	if err != nil {
		return err
	}
	out := append(append([]byte(nil), first...), '\n')
	out = base64.StdEncoding.AppendEncode(out, seal.Seal(nil, h.Nonce, text, first))
	if err := wholefile.Write(path, 0o600, func(file *os.File) error { // for its owner alone
		_, err := file.Write(append(out, '\n'))
		return errors.Join(err, file.Sync())
	}); err != nil {
		return failure.Usagef("the tokens cannot be kept: %w", err)
	}
	return nil
}

func sealOf(key string, h head) (cipher.AEAD, error) {
	if len(h.Salt) != 32 || len(h.Nonce) != 12 {
		return nil, errors.New("salt or nonce have another length")
	}
	derived, err := hkdf.Key(sha256.New, []byte(key), h.Salt, "agstest kept tokens", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// readOwn reads a file that belongs to this user and is read by nobody else.
func readOwn(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("it is no plain file")
	case info.Size() > maxFile:
		return nil, errors.New("it is larger than kept tokens are")
	}
	if err := private(info); err != nil {
		return nil, err
	}
	text := make([]byte, info.Size())
	n, err := file.Read(text)
	if err != nil {
		return nil, fmt.Errorf("it cannot be read: %w", err)
	}
	return text[:n], nil
}
