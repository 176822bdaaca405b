package wire

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
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
		return fmt.Sprintf("the proxy could not connect to the service (status %d); check the host and port in url, and that the service is running", p.status)
	}
	return fmt.Sprintf("the proxy refused to connect (status %d); ask who runs it", p.status)
}

// ProxyConnected is for http.Transport.OnProxyConnectResponse: it makes a refusal of a forward proxy an error that Explain has words for.
func ProxyConnected(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode != http.StatusOK {
		return proxyRefusal{answer.StatusCode}
	}
	return nil
}
