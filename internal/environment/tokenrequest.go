package environment

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpproxy"
)

// TokenRequest is a call whose answer holds a session token. Names in braces, such as {accountId}, are put into URL and
// Body.
type TokenRequest struct {
	Method  string            `yaml:"method"` // empty: POST with a body, else GET
	URL     string            `yaml:"url"`
	Headers map[string]string `yaml:"headers"`
	// sent as JSON where it begins like that, else as a form, unless Headers say otherwise
	Body string `yaml:"body"`
}

var requestMethods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}

// checkRequest finds what cannot work in the request of a source.
func (r *reader) checkRequest(path string, s *TokenSource, given map[string]bool) {
	r.checkCall(path, s.Request, given)
	switch {
	case s.Token == "":
		r.wrong(path,
			"needs token: where the session token stands in the JSON of the answer, such as /sessionToken (RFC 6901)")
	case !strings.HasPrefix(s.Token, "/"):
		r.wrong(path+".token", "is a JSON pointer, which begins with a slash, such as /sessionToken (RFC 6901)")
	}
}

// checkCall finds what cannot work in a request.
func (r *reader) checkCall(path string, q *TokenRequest, given map[string]bool) {
	if q.Method != "" && !slices.Contains(requestMethods, q.Method) {
		r.wrong(path+".request.method", "must be one of %s", strings.Join(requestMethods, ", "))
	}
	switch u, err := url.Parse(plainBraces(q.URL)); {
	case q.URL == "":
		r.wrong(path+".request", "needs url, such as https://mint.staging.example.com/session-tokens")
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		r.wrong(path+".request.url", "must be an address that starts with https:// or http://")
	case u.User != nil:
		r.wrong(path+".request.url",
			"must not hold a user name or password; send them as headers: {Authorization: \"${NAME}\"}")
	case u.Scheme == "http" && !onLoopback(q.URL):
		r.warn(path+".request.url", "starts with http://, so what it carries goes over the network in clear")
	}
	for _, name := range slices.Sorted(maps.Keys(q.Headers)) {
		if own, ours := ownHeaders[strings.ToLower(name)]; !headerName.MatchString(name) {
			r.wrong(path+".request.headers."+name, "is not a header name (letters, digits and - only)")
		} else if ours && own == "" {
			r.wrong(path+".request.headers."+name, "this header is made by HTTP itself; leave it out")
		}
	}
	if q.Body != "" && q.Method == "GET" {
		r.wrong(path+".request.body", "is not sent with GET")
	}
	r.checkBraces(path+".request.url", q.URL, given)
	r.checkBraces(path+".request.body", q.Body, given)
}

// plainBraces makes names in braces letters, which may stand anywhere in an address.
func plainBraces(text string) string { return strings.NewReplacer("{", "", "}", "").Replace(text) }

// Way is the method of the request.
func (q *TokenRequest) Way() string {
	if q.Body != "" {
		return cmp.Or(q.Method, "POST")
	}
	return cmp.Or(q.Method, "GET")
}

// ProxyFor returns the proxy for another address than that of the service; nil if none.
func (e *Environment) ProxyFor(target *url.URL) *url.URL {
	switch e.Proxy {
	case "", proxyNone:
		return nil
	case proxyOfEnvironment:
		config := httpproxy.Config{HTTPProxy: e.proxies[0], HTTPSProxy: e.proxies[1], NoProxy: e.proxies[2]}
		found, _ := config.ProxyFunc()(target)
		return found
	}
	u, err := url.Parse(e.Proxy)
	if err != nil || excluded(target, e.NoProxy) {
		return nil
	}
	return u
}

// String names the request in messages, without what may be secret in its address.
func (q *TokenRequest) String() string {
	address, _, _ := strings.Cut(q.URL, "?")
	return fmt.Sprintf("%s %s", q.Way(), address)
}

func (q *TokenRequest) clone() *TokenRequest {
	if q == nil {
		return nil
	}
	c := *q
	c.Headers = maps.Clone(q.Headers)
	return &c
}
