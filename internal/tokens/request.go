package tokens

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"agstest/internal/environment"
	"agstest/internal/userfile"
	"agstest/internal/wire"
)

// maxAnswer is far above any answer that holds a session token.
const maxAnswer = 1 << 20

// NewCaller makes what sends the requests of a source: through the proxy and with the certificates of the environment.
func NewCaller(e *environment.Environment) (*http.Client, error) {
	target, err := e.Target()
	if err != nil {
		return nil, err
	}
	config := target.TLS.Clone()
	if config != nil {
		config.ServerName = "" // sni belongs to the service
	}
	return &http.Client{
		Timeout: longestWait,
		Transport: &http.Transport{
			Proxy:                  func(r *http.Request) (*url.URL, error) { return e.ProxyFor(r.URL), nil },
			TLSClientConfig:        config,
			ForceAttemptHTTP2:      true,
			IdleConnTimeout:        time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// request sends a request and reads the value out of the answer; what names it. Its error quotes nothing of the answer
// but names of members.
func request(ctx context.Context, caller *http.Client, from *environment.TokenSource, names Names,
	what string) (string, error) {
	q := from.Request
	text, err := Send(ctx, caller, q, names.replacer)
	if err != nil {
		return "", err
	}
	token, err := pointed(text, from.Token)
	switch {
	case err != nil:
		return "", fmt.Errorf("the answer to the request %s holds no %s: %w", q, what, err)
	case len(token) > maxBytes:
		return "", fmt.Errorf("the answer to the request %s holds more than %d bytes at %s, which is no %s", q,
			maxBytes, from.Token, what)
	case userfile.Flaw(token) != "":
		return "", fmt.Errorf("the answer to the request %s holds at %s what is no %s: it %s", q, from.Token, what,
			strings.TrimSuffix(userfile.Flaw(token), "; take it away"))
	}
	return token, nil
}

// Fill makes what puts values in the place of names in braces, each escaped for where it comes to stand.
type Fill func(escape func(string) string) *strings.Replacer

// Send sends a request, waits for 10 s at most and returns the body of an answer 2xx. It does not follow redirects. Its
// error names the request without possible secrets in its address, and quotes nothing of the answer.
func Send(ctx context.Context, caller *http.Client, q *environment.TokenRequest, fill Fill) ([]byte, error) {
	json := strings.HasPrefix(strings.TrimSpace(q.Body), "{") || strings.HasPrefix(strings.TrimSpace(q.Body), "[")
	escape := url.QueryEscape
	if json {
		escape = inJSON
	}
	path, query, asks := strings.Cut(q.URL, "?")
	address := fill(url.PathEscape).Replace(path)
	if asks {
		address += "?" + fill(url.QueryEscape).Replace(query)
	}
	r, err := http.NewRequestWithContext(ctx, q.Way(), address, strings.NewReader(fill(escape).Replace(q.Body)))
	if err != nil {
		return nil, fmt.Errorf("the request %s cannot be made", q)
	}
	r.Header.Set("Accept", "application/json")
	switch {
	case json:
		r.Header.Set("Content-Type", "application/json")
	case q.Body != "":
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range q.Headers {
		r.Header.Set(name, value)
		if strings.EqualFold(name, "Host") {
			r.Host = value
		}
	}
	answer, err := caller.Do(r)
	if err != nil {
		var e *url.Error // which quotes the address
		if errors.As(err, &e) {
			err = e.Err
		}
		return nil, fmt.Errorf("the request %s got no answer: %s", q, wire.Explain(err))
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case answer.StatusCode/100 == 3:
		return nil, fmt.Errorf("the request %s was answered with status %d: redirects are not followed", q,
			answer.StatusCode)
	case answer.StatusCode/100 != 2:
		return nil, fmt.Errorf("the request %s was answered with status %d", q, answer.StatusCode)
	case err != nil:
		return nil, fmt.Errorf("the request %s got no whole answer: %s", q, wire.Explain(err))
	case len(text) > maxAnswer:
		return nil, fmt.Errorf("the answer to the request %s is longer than 1 MiB", q)
	}
	return text, nil
}

// inJSON escapes a text for within a JSON string.
func inJSON(text string) string {
	quoted, _ := json.Marshal(text)
	return string(quoted[1 : len(quoted)-1])
}

// pointed is the text at a JSON pointer (RFC 6901).
func pointed(text []byte, pointer string) (string, error) {
	at, err := Pointed(text, pointer)
	if err != nil {
		return "", err
	}
	if token, ok := at.(string); ok && token != "" {
		return token, nil
	}
	return "", fmt.Errorf("%s is no text, or empty", pointer)
}

// Pointed is the value at a JSON pointer (RFC 6901), as encoding/json reads it with UseNumber. Its error quotes nothing
// but names of members.
func Pointed(text []byte, pointer string) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var at any
	if decoder.Decode(&at) != nil {
		return nil, errors.New("it is no JSON")
	}
	walked := ""
	for _, step := range strings.Split(pointer, "/")[1:] {
		name := strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		found := false
		switch below := at.(type) {
		case map[string]any:
			if at, found = below[name]; !found {
				return nil, fmt.Errorf("there is no %s; there is %s", walked+"/"+step, listed(below))
			}
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(below) || len(name) > 1 && name[0] == '0' || name[0] == '+' {
				return nil, fmt.Errorf("there is no %s in a list of %d", walked+"/"+step, len(below))
			}
			at = below[i]
		default:
			return nil, fmt.Errorf("there is no %s, as %s holds a single value", walked+"/"+step, walked)
		}
		walked += "/" + step
	}
	return at, nil
}

// listed names the members of an object, some of them.
func listed(object map[string]any) string {
	names := make([]string, 0, len(object))
	for name := range object {
		if len(name) <= 40 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) > 8 {
		names = append(names[:8], "…")
	}
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}
