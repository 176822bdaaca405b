package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"strings"
)

// closed says more of a connection that was closed without an answer: whether TLS is spoken on a port that plain HTTP
// was sent to, and whether what ends TLS there is up while nothing behind it answers. stunnel and Hitch, which pass
// bytes on, have no page to say so, and neither have many gateways for plain HTTP on a port of TLS. Nil: there is no
// more to say.
func (c *Client) closed(ctx context.Context, x *Exchange) error {
	text := Explain(x.Err)
	if c.target.Proxy != nil || !strings.Contains(text, "closed the connection") &&
		!strings.Contains(text, "reset the connection") {
		return nil
	}
	seen := c.shakeHands(ctx)
	where := x.Call.Method + " " + x.URL
	switch {
	case !seen.speaks:
		return nil
	case strings.HasPrefix(c.base, "http:"):
		return Blame("url", "%s got no answer: %s, and it speaks TLS on this port; write https:// in url", where, text)
	case seen.asks != nil && len(c.transport.TLSClientConfig.Certificates) == 0:
		return Blame("tls",
			"%s got no answer: TLS came about, and then %s; it asks for a client certificate, and none was given: give one as "+
				"tls.cert and tls.key; if it needs none, the service behind it is down or shut off", where, text)
	}
	return Blame("url",
		"%s got no answer: TLS came about, and then %s; if a gateway ends TLS there, the service behind it is down or shut "+
			"off", where, text)
}

// handshake is what a handshake has shown that sent no request.
type handshake struct {
	speaks bool                        // TLS: it came to its end, or was refused with an alert
	asks   *tls.CertificateRequestInfo // for a client certificate; nil: it does not
}

// shakeHands tries a handshake with what listens at the address. A service that misses a client certificate says so in
// TLS 1.3 when the handshake is over for the client, and its alert is lost where it resets the connection; in TLS 1.2
// it often says no more than that the handshake failed. No request is sent, and nobody is trusted.
func (c *Client) shakeHands(ctx context.Context) (seen handshake) {
	to, err := url.Parse(c.base)
	if err != nil {
		return seen
	}
	port := to.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[to.Scheme]
	}
	ctx, cancel := context.WithTimeout(ctx, c.target.Timeout)
	defer cancel()
	var dialer net.Dialer
	plain, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(to.Hostname(), port))
	if err != nil {
		return seen
	}
	defer plain.Close()
	config := c.transport.TLSClientConfig.Clone()
	config.InsecureSkipVerify = true // the handshake only shows whether it speaks TLS; nothing is sent
	if config.ServerName == "" {
		config.ServerName = to.Hostname()
	}
	config.GetClientCertificate = func(asks *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		seen.asks = asks
		return &tls.Certificate{}, nil
	}
	err = tls.Client(plain, config).HandshakeContext(ctx)
	var alert tls.AlertError
	seen.speaks = err == nil || errors.As(err, &alert) || remoteAlert(err) != ""
	return seen
}
