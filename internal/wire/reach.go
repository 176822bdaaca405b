package wire

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"agstest/ags"
	"agstest/internal/failure"
	"agstest/internal/redact"
)

// unreached is an error of reaching the service, with the key of the environment file that is the likely reason.
type unreached struct {
	key string
	err error
}

func (u *unreached) Error() string { return u.err.Error() }
func (u *unreached) Unwrap() error { return u.err }

// KeyOf returns the key of the environment file that likely caused an error of Reach, such as tls.ca; empty if there is
// none.
func KeyOf(err error) string {
	var u *unreached
	if errors.As(err, &u) {
		return u.key
	}
	return ""
}

// Blame makes an error of the kind failure.Setup that a key of the environment file is the likely reason of.
func Blame(key, format string, args ...any) error {
	return &unreached{key, failure.Setupf(format, args...)}
}

// Reach asks the service for its authentication services, to find out before a run whether there is an AGS at all. Its
// errors are of the kind failure.Setup, or failure.Usage if the call itself cannot be made; KeyOf returns the key of
// the environment file that is the likely reason. Any answer that an AGS could give is fine here, a refusal too:
// judging it is not this package's work. It returns that answer, or nil where nothing came that can be used.
//
// An answer that no AGS gives (a redirect, a gateway's page, a cut body) ends a run only if a sign-on with a made-up
// token gets such an answer too: otherwise only discovery is wrong, which the requirements report.
//
// A service that is being started is waited for: where the answer is 502, 503, 504 or their like, Reach asks again for
// some seconds.
//
// If a service speaks HTTP/2 only, Reach finds that out, and the client speaks it from then on. If what answers closes
// the connection behind each answer, the client keeps none from then on.
func (c *Client) Reach(ctx context.Context) (*Exchange, error) {
	x := c.Do(ctx, c.discovery())
	if u := x.Unsent(); u != nil {
		return nil, Blame("headers."+u.Header, "nothing was sent: %w", u)
	}
	if x.Status == 0 && c.speakHTTP2(ctx, x) {
		x = c.Do(ctx, c.discovery())
	}
	x = c.awaited(ctx, x)
	err := c.strange(x)
	if x.Status == 0 && x.Err != nil {
		for _, tell := range []func(context.Context, *Exchange) error{c.closed, c.refusedCertificate} {
			if told := tell(ctx, x); told != nil {
				return nil, told
			}
		}
	}
	switch {
	case err == nil:
		c.seeKeeping(ctx, x)
		return x, nil
	case x.Status == 0, certain(c.base, x):
		return x, err
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	ask := c.unknownSignOn()
	full, lacks := c.header(ctx, ask.Header)
	if ask.Header = full; lacks != nil {
		return nil, err
	}
	second := c.once(ctx, ask) // the first call has waited already
	// no AGS takes that token, and a page takes everything
	if second.Err == nil && second.Status/100 != 2 && c.strange(second) == nil {
		c.seeKeeping(ctx, x)
		return x, nil
	}
	return nil, err
}

// How long and how often Reach asks a service that is not up.
const (
	longestStart = 5 * time.Second
	startPause   = 500 * time.Millisecond
)

// notUp tells of a status with which a service, or a gateway before it, says that the service is not up.
func notUp(status int) bool {
	return Unreached(status) || status == http.StatusServiceUnavailable || status == siteIsOverloaded
}

// awaited asks again while the service, or a gateway before it, says that it is not up, or answers 500, as some do
// until all that they need is up. Where it asks for more patience than there is, its answer stands. What came before
// stands in Attempts.
func (c *Client) awaited(ctx context.Context, x *Exchange) *Exchange {
	ask := x.Call
	for waited := time.Duration(0); ; {
		if x.Err != nil || !notUp(x.Status) && x.Status != http.StatusInternalServerError {
			return x
		}
		pause := startPause
		if wait, own, _ := waitBefore(x, 0); !own {
			pause = max(pause, wait)
		}
		if waited += pause; waited > longestStart || c.target.Sleep(ctx, pause) != nil {
			return x
		}
		before := append(x.Attempts, Attempt{Status: x.Status, RetryAfter: x.Header.Get("Retry-After")})
		x = c.once(ctx, ask)
		x.Attempts = append(before, x.Attempts...)
	}
}

// seeKeeping asks once more, right behind an answer, to see whether the connection of that answer carries the request.
// Some close each connection and do not say so, as tinyproxy 1.11 does: a request that comes before the end is seen is
// lost, and nobody can tell whether it was done. One for discovery may be sent again. What it is answered does not
// matter.
func (c *Client) seeKeeping(ctx context.Context, answered *Exchange) {
	var kept atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(on httptrace.GotConnInfo) {
		kept.Store(on.Reused)
	}})
	if x, lost := c.carry(traced, answered.Call); lost != nothingLost || x.Err == nil && !kept.Load() {
		c.keepsNone.Store(true)
		c.Close()
	}
}

func (c *Client) discovery() Call {
	discovery, _ := ags.OperationByName(ags.ServiceDiscovery)
	header := http.Header{}
	if c.target.Tenant != "" {
		header[ags.HeaderTenant] = []string{c.target.Tenant}
	}
	return Call{Operation: discovery.Name, Method: discovery.Method, Path: discovery.Path, Header: header}
}

// unknownSignOn is a sign-on with a session token that nobody issued. It changes nothing.
func (c *Client) unknownSignOn() Call {
	signOn, _ := ags.OperationByName(ags.SignOnWithSessionToken)
	call := c.discovery()
	call.Operation, call.Method, call.Path = signOn.Name, signOn.Method, signOn.Path
	call.Header["Content-Type"] = []string{"application/json"}
	if c.target.Service != "" {
		call.Header[ags.HeaderService] = []string{c.target.Service}
	}
	call.Body = []byte(`{"parameters":[{"name":"SessionToken","value":"agstest-` + rand.Text() +
		`"}],"clientId":"agstest"}`)
	return call
}

// certain tells whether an answer shows that the address is wrong for every call.
func certain(base string, x *Exchange) bool {
	return x.Status == http.StatusProxyAuthRequired || plainToTLS(x) || movedToTLS(base, x)
}

// plainToTLS is how gateways answer plain HTTP on a port of TLS: Go (Caddy, Traefik), nginx, Apache.
func plainToTLS(x *Exchange) bool {
	if x.Status != http.StatusBadRequest {
		return false
	}
	for _, words := range []string{"HTTP request to an HTTPS server", "plain HTTP request was sent to HTTPS port",
		"speaking plain HTTP to an SSL-enabled server port"} {
		if bytes.Contains(x.Body, []byte(words)) {
			return true
		}
	}
	return false
}

// movedToTLS is the redirect with which gateways send callers of http:// to https:// of the same host.
func movedToTLS(base string, x *Exchange) bool {
	from, err := url.Parse(base)
	if err != nil || x.Status/100 != 3 || from.Scheme != "http" {
		return false
	}
	to, err := url.Parse(x.Header.Get("Location"))
	return err == nil && to.Scheme == "https" && strings.EqualFold(to.Hostname(), from.Hostname())
}

// strange returns what is wrong with an answer that no AGS gives; nil for all others.
func (c *Client) strange(x *Exchange) error {
	where := x.Call.Method + " " + x.URL
	title, page := GatewayPage(x)
	switch {
	case x.Err != nil && errors.Is(x.Err, context.Canceled):
		return x.Err
	case x.Err != nil && x.Status == 0:
		return c.unanswered(where, x.Err)
	case plainToTLS(x): // the rest of it may be cut off
		return Blame("url", "%s was refused because the service speaks TLS on this port; write https:// in url", where)
	case x.Err != nil:
		return Blame("url", "%s got no whole answer: %s", where, Explain(x.Err))
	case x.Status == http.StatusProxyAuthRequired:
		return Blame(c.keyOfProxy(), "%s was refused: %s", where, proxyRefusal{x.Status})
	case movedToTLS(c.base, x):
		return Blame("url",
			"%s was redirected with status %d to %s: the gateway there wants TLS; write https:// in url",
			where, x.Status, redirectHost(x.Header.Get("Location")))
	case x.Status/100 == 3 && x.Header.Get("Location") != "":
		return Blame("url",
			"%s was redirected with status %d to %s; redirects are not followed: write the final address into url",
			where, x.Status, redirectHost(x.Header.Get("Location")))
	case x.Status/100 == 2 && page && looksLikeHTML(x): // JSON that says it is HTML is an AGS with a fault
		return Blame("url",
			"%s was answered with an HTML page (status %d)%s instead of JSON; check that url is an AGS and no portal or proxy "+
				"stands before it",
			where, x.Status, c.called(title))
	case page && x.Status != http.StatusInternalServerError, x.Status == http.StatusServiceUnavailable &&
		!json.Valid(x.Body), lostWay(x) != "":
		return c.shutOff(where, x, title)
	case x.Status/100 == 2 && !json.Valid(x.Body):
		return Blame("url", "%s was answered with status %d and %d bytes that are not JSON; check that url is an AGS",
			where, x.Status, len(x.Body))
	}
	return nil
}

// unanswered says why no answer came, and which key of the environment file it is likely about.
func (c *Client) unanswered(where string, err error) error {
	key, why := c.keyOfConnection(err), Explain(err)
	if strings.Contains(why, unknownName) {
		name := ""
		if key, name = c.nameSent(); name != "" {
			why = "what listens there knows no service of the name " + name + " (" + unknownName + "); check " +
				map[string]string{"sni": "sni",
					"url": "the host in url"}[key]
		}
	}
	if key == "url" && c.sendsNoName() && wantsAName.MatchString(remoteAlert(err)) {
		why += "; as url has an address, no name was sent in the handshake: if one is needed, give it as sni"
	}
	var other x509.HostnameError
	if named, name := c.nameSent(); named == "sni" && errors.As(err, &other) && other.Host == name {
		key, why = named, "the certificate of the service is not for the name "+name+"; check sni"
	}
	return Blame(key, "%s got no answer: %s", where, why)
}

// wantsAName matches the alerts with which servers refuse a handshake without the name of a host: HAProxy and nginx;
// Go; others.
var wantsAName = regexp.MustCompile(`^(unrecognized name|internal error|handshake failure)`)

// sendsNoName tells that TLS names no host, as an address is none (RFC 6066 section 3).
func (c *Client) sendsNoName() bool {
	key, name := c.nameSent()
	return key == "url" && net.ParseIP(name) != nil
}

// shutOff returns an error that explains a gateway's page, with its title and the likely key of the environment file.
func (c *Client) shutOff(where string, x *Exchange, title string) error {
	key, advice := "url", "it may guard the service or know no way to it: check url, and ask who runs the gateway"
	folded := strings.ToLower(title + string(x.Body[:min(len(x.Body), 4<<10)]))
	switch {
	case lostWay(x) != "":
		advice = "it cannot reach the service (" + lostWay(
			x) + "), or the service cannot reach what it needs; wait until it is up, or check url"
	case notUp(x.Status):
		advice = "the gateway is up, and the service behind it is down or shut off; wait until it is up, or check url"
	case x.Status == http.StatusRequestHeaderFieldsTooLarge, strings.Contains(folded,
		"header or cookie too large"), strings.Contains(folded, "header field which exceeds"):
		key, advice = "headers", "the headers of the request are too large for it; check headers"
	case x.Status == http.StatusBadRequest && strings.Contains(folded, "certificate"):
		key, advice = "tls", "it wants a client certificate, or refuses ours; give one as tls.cert and tls.key"
	case x.Status == http.StatusMisdirectedRequest:
		advice = "it does not know the host; check the host in url"
	case x.Status == http.StatusNotFound:
		advice = "it knows no way to an AGS at this address; check the host and the path in url"
	}
	return Blame(key, "%s was answered by what looks like a gateway (status %d)%s instead of by an AGS: %s", where,
		x.Status, c.called(title), advice)
}

// lostWay returns what a program says in JSON, with any status from 500 on, of a service that it cannot reach: one on
// Node (@fastify/http-proxy), Kong, APISIX; or tinyproxy, whose page says 500. It is empty for other answers.
func lostWay(x *Exchange) string {
	if x.Status < http.StatusInternalServerError {
		return ""
	}
	if !json.Valid(x.Body) {
		return string(tinyproxys.Find(x.Body))
	}
	return string(noWay.Find(x.Body))
}

var tinyproxys = regexp.MustCompile(`Tinyproxy was unable to connect to the remote web server`)

var noWay = regexp.MustCompile(
	`\bE(CONNREFUSED|CONNRESET|NOTFOUND|HOSTUNREACH|TIMEDOUT)\b|\bUND_ERR_(SOCKET|CONNECT_TIMEOUT)\b|` +
		`invalid response was received from the upstream server|upstream server is timing out|failure to get a peer from the ring-balancer`)

// called quotes the title of a page, without what must not be shown.
func (c *Client) called(title string) string {
	if title == "" {
		return ""
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	hide := redact.New(key)
	for _, value := range c.target.Headers {
		hide.Add(value)
	}
	return fmt.Sprintf(" with the page “%s”", hide.Text(title))
}

// keyOfConnection is the key of the environment file that is the likely reason why no connection came about.
func (c *Client) keyOfConnection(err error) string {
	var refusal proxyRefusal
	if errors.As(err, &refusal) && refusal.status < 500 {
		return c.keyOfProxy()
	}
	switch text := Explain(err); {
	case strings.Contains(text, "the proxy cannot be used"), strings.Contains(text,
		"the proxy wants a user name"), strings.Contains(text, "the proxy does not allow"):
		return c.keyOfProxy()
	case strings.Contains(text, "tls.ca"):
		return "tls.ca"
	case strings.Contains(text, "tls.cert"):
		return "tls.cert"
	}
	return "url"
}

// nameSent returns the name that TLS asks for, and its key in the environment file.
func (c *Client) nameSent() (key, name string) {
	u, err := url.Parse(c.base)
	if err != nil {
		return "url", ""
	}
	if c.target.TLS != nil && c.target.TLS.ServerName != "" && c.target.TLS.ServerName != u.Hostname() {
		return "sni", c.target.TLS.ServerName
	}
	return "url", u.Hostname()
}

// keyOfProxy returns the place of the proxy's address, if there is one.
func (c *Client) keyOfProxy() string {
	if c.target.Proxy == nil {
		return "url"
	}
	return "proxy"
}

// redirectHost shows no more of a redirect than where it leads, because its path and query can hold secrets.
func redirectHost(location string) string {
	scheme, rest, found := strings.Cut(location, "://")
	if !found || len(scheme) > 10 {
		return "another path of the same host"
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	if len(rest) > 100 {
		rest = rest[:100] + "…"
	}
	return disarmed(scheme + "://" + strings.ToValidUTF8(rest, ""))
}
