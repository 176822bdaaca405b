package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxTitle is how much of a page's title is quoted, in characters.
const maxTitle = 80

// GatewayPage tells the page of a gateway, a proxy, a firewall or a portal from an answer of an AGS. It returns the
// page's name for itself: the title of HTML, else its first heading, else the first line of a text; empty if it has
// none. The title is one line of at most 80 characters without control characters, but it is a part of an answer:
// internal/redact must clean it before it is written.
//
// Statuses that are Unreached are a gateway's, whatever the body. JSON is never taken for a page: some gateways answer
// with it (Kong, APISIX), and so does an AGS.
func GatewayPage(x *Exchange) (title string, is bool) {
	if x.Status == 0 {
		return "", false
	}
	title = pageTitle(x)
	switch {
	case Unreached(x.Status):
		return title, true
	case json.Valid(x.Body):
		return "", false
	case looksLikeHTML(x) && len(x.Body) > 0:
		return title, true
	}
	return title, gatewayText.Match(bytes.TrimSpace(x.Body[:min(len(x.Body), 512)]))
}

// Unreached tells of a status with which a gateway says that it got no answer of the service which it could pass on:
// 502 and 504 by their definition (RFC 9110 sections 15.6.3 and 15.6.5), and Cloudflare's own, 520 to 527 and 530.
func Unreached(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusGatewayTimeout || status >= 520 && status <= 527 ||
		status == 530
}

// StandIn describes an answer that says neither yes nor no, whatever was asked: a page under a status of success, as
// firewalls, logins and portals send it, a redirect, or a challenge of AWS WAF, which wants a browser to solve it and
// has no body for other clients (status 202; a puzzle has 405). It is empty for all that an AGS may have said, and for
// a page that holds tokens.
func StandIn(x *Exchange) string {
	switch {
	case x.Header.Get("X-Amzn-Waf-Action") != "" && !tokenInPage.Match(x.Body):
		return fmt.Sprintf("a challenge of AWS WAF (status %d)", x.Status)
	case x.Status/100 == 3 && x.Status != http.StatusMultipleChoices:
		return fmt.Sprintf("a redirect (status %d)", x.Status)
	case x.Status/100 != 2 || len(x.Body) == 0 || !looksLikeHTML(x) || json.Valid(x.Body) || tokenInPage.Match(x.Body):
		return ""
	}
	if title := pageTitle(x); title != "" {
		return fmt.Sprintf("a page “%s” (status %d)", title, x.Status)
	}
	return fmt.Sprintf("a page (status %d)", x.Status)
}

// tokenInPage finds the names and the beginnings of tokens that a client could use.
var tokenInPage = regexp.MustCompile(`(access|refresh)_token|sessionToken|userAccountToken|\beyJ`)

// gatewayText matches the texts of gateways without HTML: Envoy, Kubernetes' ingress, Traefik and Go's own mux,
// Cloudflare.
var gatewayText = regexp.MustCompile(
	`^(?i:upstream (connect error|request timeout)|no healthy upstream|default backend - 404|404 page not found$|` +
		`bad gateway$|gateway timeout$|service unavailable$|error code: [0-9]+$|client sent an http request to an https server)`)

var (
	titleTag   = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title`)
	headingTag = regexp.MustCompile(`(?is)<h[12][^>]*>(.*?)</h[12]`)
	anyTag     = regexp.MustCompile(`(?s)<[^>]*>`)
)

// pageTitle returns the title that a page gives itself.
func pageTitle(x *Exchange) string {
	body := x.Body[:min(len(x.Body), 16<<10)]
	switch {
	case json.Valid(x.Body):
		return ""
	case looksLikeHTML(x):
		for _, tag := range []*regexp.Regexp{titleTag, headingTag} {
			if m := tag.FindSubmatch(body); m != nil {
				if title := disarmed(html.UnescapeString(anyTag.ReplaceAllString(string(m[1]), " "))); title != "" {
					return title
				}
			}
		}
		return ""
	}
	if kind, _, _ := mime.ParseMediaType(x.Header.Get("Content-Type")); kind != "" && kind != "text/plain" ||
		!utf8.Valid(body) {
		return ""
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(body)), "\n")
	return disarmed(line)
}

// disarmed makes one short line of a text that somebody else wrote: nothing in it moves a cursor, turns the direction
// of writing or hides.
func disarmed(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r), r == utf8.RuneError:
			return -1
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if letters := []rune(text); len(letters) > maxTitle {
		text = string(letters[:maxTitle]) + "…"
	}
	return text
}

func looksLikeHTML(x *Exchange) bool {
	if kind, _, _ := mime.ParseMediaType(x.Header.Get("Content-Type")); kind == "text/html" ||
		kind == "application/xhtml+xml" {
		return true
	}
	start := bytes.TrimSpace(x.Body[:min(len(x.Body), 512)])
	if len(start) == 0 || start[0] != '<' { // as of most
		return false
	}
	start = bytes.ToLower(start)
	return bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html"))
}
