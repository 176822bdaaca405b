package clients

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"agstest/internal/environment"
	"agstest/load/hit"
)

// cookies are the jars of clients that send back what they were given, one a client (RFC 6265). A client is in one hit
// at most, so that its jar needs no lock.
type cookies struct {
	site *url.URL // that they belong to
	jars []http.CookieJar
}

// newCookies is nil where the environment file does not say that clients keep cookies.
func newCookies(e *environment.Environment, clients int) *cookies {
	site, err := url.Parse(e.URL)
	if e.Cookies != "keep" || err != nil {
		return nil
	}
	if e.Host != "" {
		site.Host = e.Host
	}
	return &cookies{site: site, jars: make([]http.CookieJar, clients)}
}

// send adds the cookies of a client to its request, behind those of the environment file.
func (c *cookies) send(request *hit.Request, n uint32) {
	request.KeepCookies = c != nil && n != noClient
	if !request.KeepCookies || c.jars[n] == nil {
		return
	}
	var pairs []string
	for _, cookie := range c.jars[n].Cookies(c.at(request.Path)) {
		pairs = append(pairs, cookie.Name+"="+cookie.Value)
	}
	if len(pairs) == 0 {
		return
	}
	value := strings.Join(pairs, "; ")
	for i, field := range request.Header {
		if strings.EqualFold(field.Name, "Cookie") {
			request.Header[i].Value += "; " + value
			return
		}
	}
	request.Header = append(request.Header, hit.HeaderField{Name: "Cookie", Value: value})
}

// keep puts the cookies of an answer into the jar of its client.
func (c *cookies) keep(path string, n uint32, answer *hit.Answer) {
	if n == noClient || len(answer.SetCookie) == 0 {
		return
	}
	given := (&http.Response{Header: http.Header{"Set-Cookie": answer.SetCookie}}).Cookies()
	if c.jars[n] == nil {
		c.jars[n], _ = cookiejar.New(nil) // its error is always nil
	}
	c.jars[n].SetCookies(c.at(path), given)
}

func (c *cookies) at(path string) *url.URL {
	at := *c.site
	path, at.RawQuery, _ = strings.Cut(path, "?")
	at.Path = strings.TrimSuffix(at.Path, "/") + path
	return &at
}
