// Package tokens gets session tokens from the source in an environment file: a command, a request or a pool.
//
// Start with [Sources]: Take returns one token for an account. Names in braces such as {accountId} are filled into
// commands, which run without a shell and print the token.
package tokens

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"agstest/internal/environment"
)

// Names are the values of the names in braces, such as {accountId}, for one token.
type Names struct {
	AccountID, ClientID, Tenant string
	Number                      int // of a client of a load, from 1; 0: there is none
}

// Sources gives the session tokens of one run. It is safe for concurrent use.
type Sources struct {
	environment *environment.Environment
	caller      func() (*http.Client, error) // of requests; made when it is needed first
	mu          sync.Mutex                   // guards what follows
	given       map[string]bool
	fails       map[*environment.TokenSource]int
	last        map[*environment.TokenSource]error
}

// The names of values in errors.
const (
	sessionToken = "session token"
	freshValue   = "value that could be sent"
)

// After maxFailures in a row a source is asked no more.
const maxFailures = 3

// New makes the sources of a run.
func New(e *environment.Environment) *Sources {
	return &Sources{environment: e, caller: sync.OnceValues(func() (*http.Client, error) { return NewCaller(e) }),
		given: map[string]bool{}, fails: map[*environment.TokenSource]int{}, last: map[*environment.TokenSource]error{}}
}

func askedNoMore(last error, fails int) error {
	return fmt.Errorf("%w (%d times in a row, so that it is asked no more)", last, fails)
}

// Take gets a session token that was not taken before. An error names the source. It may hold a command's words, and
// must be redacted.
func (s *Sources) Take(ctx context.Context, from *environment.TokenSource, names Names) (string, error) {
	if from.Pool != "" {
		taken, err := fromPool(from.Pool, 1)
		if err != nil {
			return "", err
		}
		return taken[0], nil
	}
	s.mu.Lock()
	fails, last := s.fails[from], s.last[from]
	s.mu.Unlock()
	if fails >= maxFailures {
		return "", askedNoMore(last, fails)
	}
	token, err := s.ask(ctx, from, names)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil && s.given[token] {
		err = fmt.Errorf("%s gave a session token that was given before; one that may be used more than once is written as "+
			"sessionToken: \"${NAME}\"", described(from))
	}
	if err != nil {
		s.fails[from]++
		s.last[from] = err
		return "", err
	}
	s.given[token], s.fails[from] = true, 0
	return token, nil
}

// TakePool takes count tokens of a pool at once, or none.
func TakePool(from *environment.TokenSource, count int) ([]string, error) {
	return fromPool(from.Pool, count)
}

// Unused is how many tokens of a pool are left.
func Unused(from *environment.TokenSource) (int, error) {
	pools.Lock()
	defer pools.Unlock()
	left, err := unused(from.Pool)
	return len(left), err
}

func (s *Sources) ask(ctx context.Context, from *environment.TokenSource, names Names) (string, error) {
	if from.Request == nil {
		return command(ctx, s.environment.Folder(), names.fill(from.Command), sessionToken)
	}
	caller, err := s.caller()
	if err != nil {
		return "", err
	}
	return request(ctx, caller, from, names, sessionToken)
}

func described(from *environment.TokenSource) string {
	if from.Request != nil {
		return "the request " + from.Request.String()
	}
	return "the command " + from.Command[0]
}

// replacer puts the names in, each escaped for where it comes to stand.
func (n Names) replacer(escape func(string) string) *strings.Replacer {
	pairs := []string{"{accountId}", escape(n.AccountID), "{clientId}", escape(n.ClientID), "{tenant}",
		escape(n.Tenant)}
	if n.Number > 0 {
		pairs = append(pairs, "{n}", strconv.Itoa(n.Number))
	}
	return strings.NewReplacer(pairs...)
}

// fill puts the names into texts as they are.
func (n Names) fill(texts []string) []string {
	replacer := n.replacer(func(text string) string { return text })
	filled := make([]string, len(texts))
	for i, text := range texts {
		filled[i] = replacer.Replace(text)
	}
	return filled
}
