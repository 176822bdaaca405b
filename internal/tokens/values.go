package tokens

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"agstest/internal/environment"
)

// Values gets values that are good for some time, such as the token of an operator, and renews them. It is safe for
// concurrent use: while a value is renewed, callers that want it wait.
type Values struct {
	environment *environment.Environment
	caller      func() (*http.Client, error)
	keep        func(...string) // tells the redactor
	now         func() time.Time

	mu   sync.Mutex
	held map[*environment.Fresh]held
}

type held struct {
	value string
	until time.Time
	fails int
	last  error
}

// NewValues makes the values of a run. Keep is told each value before it is used.
func NewValues(e *environment.Environment, keep func(...string)) *Values {
	return &Values{environment: e, caller: sync.OnceValues(func() (*http.Client, error) { return NewCaller(e) }),
		keep: keep, now: time.Now, held: map[*environment.Fresh]held{}}
}

// Get returns the value of a source, with the word before it. After 3 failures in a row it does not ask the source any
// more. An error may hold a command's words, and must be redacted.
func (v *Values) Get(ctx context.Context, f *environment.Fresh) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	h := v.held[f]
	switch {
	case h.value != "" && v.now().Before(h.until):
		return f.Sent(h.value), nil
	case h.fails >= maxFailures:
		return "", askedNoMore(h.last, h.fails)
	}
	return v.renew(ctx, f)
}

// renew gets a new value. v.mu is held.
func (v *Values) renew(ctx context.Context, f *environment.Fresh) (string, error) {
	h, asked := v.held[f], v.now()
	value, life, err := v.ask(ctx, f)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		v.held[f] = held{fails: h.fails + 1, last: err}
		return "", err
	}
	v.keep(value)
	v.held[f] = held{value: value, until: asked.Add(life)}
	return f.Sent(value), nil
}

func (v *Values) names() Names { return Names{Tenant: v.environment.Tenant} }

// ask gets a new value and says how long it is good for.
func (v *Values) ask(ctx context.Context, f *environment.Fresh) (string, time.Duration, error) {
	if f.Keycloak == nil && f.Request == nil {
		value, err := command(ctx, v.environment.Folder(), v.names().fill(f.Command), freshValue)
		return value, f.Life(), err
	}
	caller, err := v.caller()
	if err != nil {
		return "", 0, err
	}
	if f.Keycloak == nil {
		value, err := request(ctx, caller, f.Source(), v.names(), freshValue)
		return value, f.Life(), err
	}
	// RFC 6749 sections 4.4 and 2.3.1.
	q := &environment.TokenRequest{URL: f.Keycloak.URL, Body: url.Values{"grant_type": {"client_credentials"},
		"client_id": {f.Keycloak.Client}, "client_secret": {f.Keycloak.Secret}}.Encode()}
	text, err := Send(ctx, caller, q, Names{}.replacer)
	if err != nil {
		return "", 0, err
	}
	value, err := pointed(text, "/access_token")
	if err != nil {
		return "", 0, fmt.Errorf("the answer to the request %s holds no access token: %w", q, err)
	}
	if len(value) > maxBytes {
		return "", 0, errors.New("the access token is longer than any is")
	}
	var said struct {
		ExpiresIn json.Number `json:"expires_in"`
	}
	life := f.Life()
	if json.Unmarshal(text, &said) == nil && life == 0 {
		if seconds, err := said.ExpiresIn.Float64(); err == nil && seconds > 0 && seconds < 1e6 {
			life = time.Duration(seconds * 0.8 * float64(time.Second)) // it is to be good at the end of a call too
		}
	}
	if life == 0 {
		life = environment.DefaultRenew
	}
	return value, life, nil
}
