package tokens

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"agstest/internal/environment"
	"agstest/internal/wire"
)

// Headers returns the values of headers that are renewed. If one is missing, the error is a *wire.UnsentError that
// names the header.
func (v *Values) Headers(renewed map[string]*environment.Fresh) func(context.Context) (map[string]string, error) {
	if len(renewed) == 0 {
		return nil
	}
	return func(ctx context.Context) (map[string]string, error) {
		values := make(map[string]string, len(renewed))
		for _, name := range slices.Sorted(maps.Keys(renewed)) {
			value, err := v.Get(ctx, renewed[name])
			if err != nil {
				return nil, &wire.UnsentError{Header: strings.TrimSpace(name), Err: err}
			}
			values[name] = value
		}
		return values, nil
	}
}

// maxRenewals are tried, while the value before is in use, before it is given up: that takes up to 20 s.
const maxRenewals = 5

// pauseOfRenewal is between two of them.
func pauseOfRenewal(renewed map[string]*environment.Fresh) time.Duration {
	pause := 5 * time.Second
	for _, f := range renewed {
		pause = min(pause, cmp.Or(f.Life(), environment.DefaultRenew)/10)
	}
	return pause
}

// Renew keeps the values of headers fresh until the context ends: it asks for each anew when its time is over, and
// calls tell with the values whenever one has changed. It returns an error, a *wire.UnsentError, if one could not be
// renewed in 5 attempts, and nil when the context ends.
func (v *Values) Renew(ctx context.Context, renewed map[string]*environment.Fresh, tell func(map[string]string)) error {
	current := v.Headers(renewed)
	for {
		next := v.next(renewed)
		if !sleep(ctx, next.Sub(v.now())) {
			return nil
		}
		var values map[string]string
		var err error
		for attempt := range maxRenewals {
			if attempt > 0 && !sleep(ctx, pauseOfRenewal(renewed)) {
				return nil
			}
			v.askAgain(renewed)
			if values, err = current(ctx); err == nil {
				break
			}
		}
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // it was asked to end
		case err != nil:
			return err
		}
		tell(values)
	}
}

// askAgain forgets failures, so that a source that failed 3 times in a row is asked again.
func (v *Values) askAgain(renewed map[string]*environment.Fresh) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, f := range renewed {
		h := v.held[f]
		h.fails = 0
		v.held[f] = h
	}
}

// next is when the first of the values has to be renewed.
func (v *Values) next(renewed map[string]*environment.Fresh) time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	var first time.Time
	for _, f := range renewed {
		if until := v.held[f].until; first.IsZero() || until.Before(first) {
			first = until
		}
	}
	return first
}

// sleep is false where the context ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(max(0, d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// Encryption turns passwords into the values that are sent in their place. It is safe for concurrent use.
type Encryption struct {
	environment *environment.Environment

	mu    sync.Mutex // guards the rest
	fails int
	last  error
}

// NewEncryption returns the encryption of an environment; nil if passwords are sent unchanged.
func NewEncryption(e *environment.Environment) *Encryption {
	if e.EncryptPassword == nil {
		return nil
	}
	return &Encryption{environment: e}
}

// Encrypt gives a password to the command of the environment file and returns its output. After 3 failures in a row it
// does not run the command any more. An error may hold the command's words, and must be redacted.
func (c *Encryption) Encrypt(ctx context.Context, password string) (string, error) {
	c.mu.Lock()
	fails, last := c.fails, c.last
	c.mu.Unlock()
	if fails >= maxFailures {
		return "", askedNoMore(last, fails)
	}
	names := Names{Tenant: c.environment.Tenant}
	cipher, err := filtered(ctx, c.environment.Folder(), names.fill(c.environment.EncryptPassword.Command), password,
		"encrypted password")
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last = err; err != nil {
		c.fails++
		return "", err
	}
	c.fails = 0
	return cipher, nil
}
