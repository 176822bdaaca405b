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
	if c.target.Proxy != nil || !strings.Contains(text, "closed the connection") && !strings.Contains(text, "reset the connection") || !c.shakesHands(ctx) {
		return nil
	}
	where := x.Call.Method + " " + x.URL
	if strings.HasPrefix(c.base, "http:") {
		return Blame("url", "%s got no answer: %s, and it speaks TLS on this port; write https:// in url", where, text)
	}
	return Blame("url", "%s got no answer: TLS came about, and then %s; if a gateway ends TLS there, the service behind it is down or shut off", where, text)
}

// shakesHands tells that what listens at the address speaks TLS: it ends a handshake, or refuses one with an alert. No
// request is sent, and nobody is trusted.
func (c *Client) shakesHands(ctx context.Context) bool {
	to, err := url.Parse(c.base)
	if err != nil {
		return false
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
		return false
	}
	defer plain.Close()
	config := c.transport.TLSClientConfig.Clone()
	config.InsecureSkipVerify = true // the handshake only shows whether it speaks TLS; nothing is sent
	if config.ServerName == "" {
		config.ServerName = to.Hostname()
	}
	err = tls.Client(plain, config).HandshakeContext(ctx)
	var alert tls.AlertError
	var remote *net.OpError // of the kind that crypto/tls makes of an alert
	return err == nil || errors.As(err, &alert) || errors.As(err, &remote) && remote.Op == "remote error"
}
