package wire

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// proxyRefusal is the status of a forward proxy that did not open a way to the service (RFC 9110 section 9.3.6).
type proxyRefusal struct{ status int }

func (p proxyRefusal) Error() string {
	switch p.status {
	case http.StatusProxyAuthRequired:
		return "the proxy wants a user name and password, or other ones; put them into the address of the proxy"
	case http.StatusForbidden:
		return "the proxy does not allow a connection to this host and port (status 403); ask who runs it"
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fmt.Sprintf("the proxy could not connect to the service (status %d); check the host and port in url, and "+
			"that the service is running", p.status)
	}
	return fmt.Sprintf("the proxy refused to connect (status %d); ask who runs it", p.status)
}

// ProxyConnected is for http.Transport.OnProxyConnectResponse: it makes a refusal of a forward proxy an error that
// Explain has words for.
func ProxyConnected(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode != http.StatusOK {
		return proxyRefusal{answer.StatusCode}
	}
	return nil
}

// refusedBySOCKS says in our words why a proxy of SOCKS5 made no connection (RFC 1928 section 6, RFC 1929): it knows no
// statuses, and Go's errors of it name two addresses and an unknown error.
func refusedBySOCKS(text string) string {
	switch {
	case strings.Contains(text, "no acceptable authentication methods"), strings.Contains(text,
		"authentication failed"):
		return proxyRefusal{http.StatusProxyAuthRequired}.Error()
	case strings.Contains(text, "not allowed by ruleset"):
		return "the proxy does not allow a connection to this host and port (SOCKS); ask who runs it"
	case strings.Contains(text, "unknown error "):
		_, why, _ := strings.Cut(text, "unknown error ")
		return "the proxy could not connect to the service (SOCKS: " + why +
			"); check the host and port in url, and that the service is running"
	}
	return "the proxy cannot be used: " + text
}
