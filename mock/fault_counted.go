package mock

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// countedTokens stands for a service whose refresh tokens are numbers of a row.
type countedTokens struct {
	mutex  sync.Mutex
	number map[string]string // of a token
	token  map[string]string // of a number
}

// countedRefreshTokens gives refresh tokens that say nothing to clients and are counted up.
func countedRefreshTokens() Fault {
	tokens := &countedTokens{number: map[string]string{}, token: map[string]string{}}
	return Fault{Name: "refresh-tokens-counted", Requirement: "REF-23",
		Summary: "refresh tokens are opaque and counted up", transport: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if scheme, number, said := strings.Cut(r.Header.Get("Authorization"), " "); said {
					r.Header.Set("Authorization", scheme+" "+tokens.behind(number))
				}
				a := record(next, r)
				var body struct {
					Refresh string `json:"refresh_token"`
				}
				if json.Unmarshal(a.body, &body) == nil && body.Refresh != "" {
					a.body = bytes.Replace(a.body, []byte(body.Refresh), []byte(tokens.of(body.Refresh)), 1)
					a.header.Del("Content-Length")
				}
				a.copyHeader(w)
				w.WriteHeader(a.status)
				_, _ = w.Write(a.body)
			})
		}}
}

// of is the number of a token.
func (t *countedTokens) of(token string) string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	number, known := t.number[token]
	if !known {
		number = fmt.Sprintf("refresh-%08d", 40_000_000+len(t.number))
		t.number[token], t.token[number] = number, token
	}
	return number
}

// behind is the token that a number stands for, and any other text as it is.
func (t *countedTokens) behind(number string) string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if token, known := t.token[number]; known {
		return token
	}
	return number
}
