package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strings"
)

// remoteAlert is the text of the alert with which a peer ended TLS; empty: it sent none.
func remoteAlert(err error) string {
	if err == nil {
		return ""
	}
	_, alert, _ := strings.Cut(err.Error(), "remote error: tls: ")
	return alert
}

// refusesOurCertificate tells of an alert about a client certificate. In TLS 1.3 it comes when the handshake is over
// for the client, and all the same before the service reads a request.
func refusesOurCertificate(err error) bool { return strings.Contains(remoteAlert(err), "certificate") }

// refusedCertificate says more of an alert about a client certificate: that none was given, that the one of the file
// was not sent since the service takes none of its authority, or which one was refused. Many servers say no more than
// that the handshake failed; then it counts whether they ask for a certificate. Nil: there is no more to say.
func (c *Client) refusedCertificate(ctx context.Context, x *Exchange) error {
	alert := remoteAlert(x.Err)
	if !refusesOurCertificate(x.Err) && !strings.HasPrefix(alert, "handshake failure") {
		return nil
	}
	var asks *tls.CertificateRequestInfo
	if c.target.Proxy == nil {
		asks = c.shakeHands(ctx).asks
	}
	if asks == nil && !refusesOurCertificate(x.Err) {
		return nil
	}
	why := "the service wants a client certificate; give one as tls.cert and tls.key"
	if given := c.transport.TLSClientConfig.Certificates; len(given) > 0 {
		why = refusedBecause(&given[0], asks, plain(alert))
	}
	return Blame("tls.cert", "%s %s got no answer: %s", x.Call.Method, x.URL, why)
}

// refusedBecause tells of a client certificate why a service that asks for one may not have taken it.
func refusedBecause(given *tls.Certificate, asks *tls.CertificateRequestInfo, alert string) string {
	leaf, err := x509.ParseCertificate(given.Certificate[0])
	if err != nil {
		return "the service refuses the client certificate of tls.cert (" + alert + ")"
	}
	of := quotedName(leaf.Issuer)
	if asks != nil && len(asks.AcceptableCAs) > 0 && asks.SupportsCertificate(given) != nil {
		return fmt.Sprintf("the client certificate of tls.cert was not sent: the service takes those of %s, and ours "+
			"is of%s; if that stands below one of these, put its certificate behind ours in tls.cert",
			authorities(asks.AcceptableCAs), of)
	}
	return fmt.Sprintf("the service refuses the client certificate of tls.cert (%s), which is of%s and valid from %s "+
		"to %s", alert, of, moment(leaf.NotBefore), moment(leaf.NotAfter))
}

// authorities lists the first of the names that a service sent of authorities (RFC 8446 section 4.2.4).
func authorities(raw [][]byte) string {
	var names []string
	for _, der := range raw {
		var sequence pkix.RDNSequence
		var name pkix.Name
		if _, err := asn1.Unmarshal(der, &sequence); err == nil {
			name.FillFromRDNSequence(&sequence)
		}
		names = append(names, strings.TrimSpace(quotedName(name)))
	}
	return firstOf(names)
}
