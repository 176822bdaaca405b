package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strings"

	"agstest/ags"
	"agstest/internal/failure"
)

// Reach asks the service for its authentication services, to find out before a run whether there is an AGS at all. Its errors are of
// the kind failure.Setup, or failure.Usage where the call itself cannot be made. Any answer that an AGS could give is fine here, a
// refusal too: judging it is not this package's work.
func (c *Client) Reach(ctx context.Context) error {
	discovery, _ := ags.OperationByName(ags.ServiceDiscovery)
	header := http.Header{}
	if c.target.Tenant != "" {
		header[ags.HeaderTenant] = []string{c.target.Tenant}
	}
	x := c.Do(ctx, Call{Operation: discovery.Name, Method: discovery.Method, Path: discovery.Path, Header: header})
	where := discovery.Method + " " + x.URL
	switch {
	case x.Err != nil && errors.Is(x.Err, context.Canceled):
		return x.Err
	case x.Err != nil && x.Status == 0:
		return failure.Setupf("%s got no answer: %s", where, Explain(x.Err))
	case x.Err != nil:
		return failure.Setupf("%s got no whole answer: %s", where, Explain(x.Err))
	case x.Status == http.StatusProxyAuthRequired:
		return failure.Setupf("%s was refused by a proxy that wants a user name and password; put them into the address of the proxy", where)
	case x.Status/100 == 3 && x.Header.Get("Location") != "":
		return failure.Setupf("%s was redirected with status %d to %s; redirects are not followed: write the final address into url",
			where, x.Status, redirectHost(x.Header.Get("Location")))
	case x.Status/100 == 2 && looksLikeHTML(x) && !json.Valid(x.Body): // JSON that says it is HTML is an AGS with a fault
		return failure.Setupf("%s was answered with an HTML page (status %d) instead of JSON; check that url is an AGS and no portal or proxy stands before it",
			where, x.Status)
	case x.Status == http.StatusBadRequest && bytes.Contains(x.Body, []byte("HTTP request to an HTTPS server")),
		x.Status == http.StatusBadRequest && bytes.Contains(x.Body, []byte("plain HTTP request was sent to HTTPS port")):
		return failure.Setupf("%s was refused because the service speaks TLS on this port; write https:// in url", where)
	case x.Status/100 == 2 && !json.Valid(x.Body):
		return failure.Setupf("%s was answered with status %d and %d bytes that are not JSON; check that url is an AGS", where, x.Status, len(x.Body))
	}
	return nil
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
	return scheme + "://" + strings.ToValidUTF8(rest, "")
}

func looksLikeHTML(x *Exchange) bool {
	if kind, _, _ := mime.ParseMediaType(x.Header.Get("Content-Type")); kind == "text/html" || kind == "application/xhtml+xml" {
		return true
	}
	start := bytes.ToLower(bytes.TrimSpace(x.Body[:min(len(x.Body), 512)]))
	return bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html"))
}
