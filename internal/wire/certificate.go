package wire

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// explainCertificate says what is wrong with the certificate of a service: in the words of Explain, and empty where
// nothing is.
func explainCertificate(err error) string {
	var (
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
		name      x509.HostnameError
		verify    *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &name):
		return otherHost(name)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		whose := "the service"
		if errors.As(err, &verify) && !isFirst(invalid.Cert, verify.UnverifiedCertificates) {
			whose = "the authority" + quotedName(invalid.Cert.Subject)
		}
		return fmt.Sprintf("the certificate of %s is valid from %s to %s and not now; renew it, or check the clock of "+
			"this machine",
			whose, moment(invalid.Cert.NotBefore), moment(invalid.Cert.NotAfter))
	case errors.As(err, &authority):
		return notTrusted(authority.Cert)
	case errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		return "the certificate of the service is not valid: it is not for servers (extended key usage)"
	case errors.As(err, &invalid):
		return "the certificate of the service is not valid: " + plain(strings.TrimPrefix(invalid.Error(), "x509: "))
	case errors.As(err, &verify):
		return "the certificate of the service is not valid"
	}
	return ""
}

// notTrusted names the authority that is missing. Nobody can tell from here whether it is one of the operator's own, or
// an intermediate one that the service should have sent along.
func notTrusted(last *x509.Certificate) string {
	what := "the certificate of the service is signed by an authority that is not trusted here"
	if last == nil || bytes.Equal(last.RawIssuer, last.RawSubject) {
		return what + "; give its certificate as tls.ca"
	}
	if name := quotedName(last.Issuer); name != "" {
		what += " (" + name[1:] + ")"
	}
	return what + "; give its certificate as tls.ca; if it stands below one that is trusted, the service has to send " +
		"that certificate along"
}

// otherHost tells which hosts a certificate is for.
func otherHost(wrong x509.HostnameError) string {
	text := "the certificate of the service is not for the host " + wrong.Host
	if wrong.Certificate == nil {
		return text + "; check the host in url"
	}
	names := slices.Clone(wrong.Certificate.DNSNames)
	for _, ip := range wrong.Certificate.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return text + ": it names no host (subject alternative name); check the host in url"
	}
	return text + ", but for " + disarmed(firstOf(names)) +
		"; check the host in url, or give the name that it is for as sni"
}

// isFirst tells whether a certificate is that of the service itself.
func isFirst(one *x509.Certificate, chain []*x509.Certificate) bool {
	return one == nil || len(chain) == 0 || one.Equal(chain[0])
}

// quotedName is a blank and the name of an authority in quotation marks; empty if it has none.
func quotedName(of pkix.Name) string {
	name := disarmed(cmp.Or(of.CommonName, strings.Join(of.OrganizationalUnit, ", "),
		strings.Join(of.Organization, ", ")))
	if name == "" {
		return ""
	}
	return " “" + name + "”"
}

// moment is a time of a certificate: a day is not enough where it became invalid today.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
