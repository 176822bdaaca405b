package environment

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Fresh says where a value comes from that is good for some time, such as the token of a gateway. It stands in the place of a value. One of
// Command, Request and Keycloak is given.
type Fresh struct {
	// Command is a program and its arguments: what it writes to stdout is the value.
	Command []string `yaml:"command"`
	// Request is sent, and Token says where the value stands in the JSON of the answer (RFC 6901).
	Request *TokenRequest `yaml:"request"`
	Token   string        `yaml:"token"`
	// Keycloak gives an access token for the credentials of a client (RFC 6749 section 4.4).
	Keycloak *Keycloak `yaml:"keycloak"`
	// Renew is how long a value is used; 0: DefaultRenew, and of a token of Keycloak what it says.
	Renew time.Duration `yaml:"renew"`
	// Before stands before the value, such as "Bearer ".
	Before string `yaml:"before"`
}

// Keycloak is a client of a realm.
type Keycloak struct {
	URL    string `yaml:"url"` // of the token endpoint
	Client string `yaml:"client"`
	Secret string `yaml:"secret"`
}

// DefaultRenew is how long a value is used where nothing says so; the access tokens of Keycloak are good for 5 minutes as it is shipped.
const DefaultRenew = 4 * time.Minute

// Life is how long a value is used; zero: what an answer of Keycloak says.
func (f *Fresh) Life() time.Duration {
	if f.Keycloak != nil {
		return f.Renew
	}
	return cmp.Or(f.Renew, DefaultRenew)
}

// Source is the part of it that a command or a request gives.
func (f *Fresh) Source() *TokenSource {
	return &TokenSource{Command: f.Command, Request: f.Request, Token: f.Token}
}

// checkFresh finds what cannot work in the source of a value. Given tells which of the names in braces have a value.
func (r *reader) checkFresh(path string, f *Fresh, given map[string]bool) {
	if f == nil {
		return
	}
	ways := 0
	for _, has := range []bool{len(f.Command) > 0, f.Request != nil, f.Keycloak != nil} {
		if has {
			ways++
		}
	}
	switch {
	case ways != 1:
		r.wrong(path, "must be a value, or say where it comes from, in one way: {command: [./token.sh]}, {request: {url: https://…}, token: /token} or {keycloak: {url: https://…, client: …, secret: …}}")
	case f.Keycloak != nil:
		k := f.Keycloak
		u, err := url.Parse(k.URL)
		switch {
		case k.URL == "" || k.Client == "" || k.Secret == "":
			r.wrong(path+".keycloak", "needs url (of the token endpoint), client and secret")
		case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil:
			r.wrong(path+".keycloak.url", "must be an address that starts with https:// or http://, such as https://…/realms/REALM/protocol/openid-connect/token")
		case u.Scheme == "http" && !onLoopback(k.URL):
			r.warn(path+".keycloak.url", "starts with http://, so the secret goes over the network in clear")
		}
	case f.Request != nil:
		r.checkRequest(path, f.Source(), given)
	default:
		r.checkCommand(path, f.Command, given)
	}
	if f.Token != "" && f.Request == nil {
		r.wrong(path+".token", "belongs to a request")
	}
	if f.Renew < 0 || f.Renew > 0 && f.Renew < time.Second || f.Renew > 24*time.Hour {
		r.wrong(path+".renew", "must be between 1s and 24h")
	}
	if strings.ContainsAny(f.Before, "\r\n") {
		r.wrong(path+".before", "holds a line break")
	}
}

func (f *Fresh) clone() *Fresh {
	if f == nil {
		return nil
	}
	c := *f
	c.Command, c.Request = slices.Clone(f.Command), f.Request.clone()
	if f.Keycloak != nil {
		keycloak := *f.Keycloak
		c.Keycloak = &keycloak
	}
	return &c
}
