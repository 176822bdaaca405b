package wire

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
)

// issued is a certificate and its key. Those that are issued by none sign themselves.
type issued struct {
	*x509.Certificate
	key *ecdsa.PrivateKey
}

func issue(t *testing.T, by *issued, template x509.Certificate) *issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template.SerialNumber, template.BasicConstraintsValid = big.NewInt(1), true
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}
	if template.KeyUsage = x509.KeyUsageDigitalSignature; template.IsCA {
		template.KeyUsage |= x509.KeyUsageCertSign
	}
	parent, signer := &template, key
	if by != nil {
		parent, signer = by.Certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, parent, &key.PublicKey, signer)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &issued{certificate, key}
}

func authorityNamed(t *testing.T, name string, by *issued) *issued {
	return issue(t, by, x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true})
}

// pair is the certificate with those that are sent behind it.
func (i *issued) pair(behind ...*issued) tls.Certificate {
	c := tls.Certificate{Certificate: [][]byte{i.Raw}, PrivateKey: i.key}
	for _, other := range behind {
		c.Certificate = append(c.Certificate, other.Raw)
	}
	return c
}

func (i *issued) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(i.Certificate)
	return pool
}

// secure serves an empty list of services over TLS, and returns its address.
func secure(t *testing.T, config *tls.Config) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"availableServices":[]}`)
	}))
	server.Config.ErrorLog = discardLog()
	server.TLS = config
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

var ofClients = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}

var loopback = []net.IP{net.IPv4(127, 0, 0, 1)}

func forHere(t *testing.T, by *issued) *issued {
	return issue(t, by, x509.Certificate{Subject: pkix.Name{CommonName: "here"}, IPAddresses: loopback})
}

// TestReachNamesTheAuthorityThatIsMissing: an operator who has given an authority of its own learns from the name that
// another one is missing, as that of an intermediate certificate which the service does not send.
func TestReachNamesTheAuthorityThatIsMissing(t *testing.T) {
	top := authorityNamed(t, "Top\x1b[31m", nil)
	middle := authorityNamed(t, "Middle", top)
	old := issue(t, nil, x509.Certificate{Subject: pkix.Name{Organization: []string{"Old & Sons"}}, IsCA: true,
		NotBefore: time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC), NotAfter: time.Date(2002, 2, 3, 4, 5, 6, 0, time.UTC)})
	forClients := issue(t, top, x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: ofClients})
	leaf := forHere(t, middle)
	const also = "; give its certificate as tls.ca; if it stands below one that is trusted, the service has to send " +
		"that certificate along"
	const missing = "signed by an authority that is not trusted here (“"
	for name, c := range map[string]struct {
		sent    tls.Certificate
		trusted *issued
		want    string
	}{
		"whole":          {leaf.pair(middle), top, ""},
		"middle trusted": {leaf.pair(), middle, ""},
		"middle missing": {leaf.pair(), top, missing + "Middle”)" + also},
		"top missing":    {leaf.pair(middle), old, missing + "Top[31m”)" + also},
		"authority expired": {forHere(t, old).pair(), old, "the certificate of the authority “Old & Sons” is " +
			"valid from 2001-02-03 04:05 UTC to 2002-02-03 04:05 UTC and not now; renew it, or check the clock of " +
			"this machine"},
		"certificate of clients": {forClients.pair(), top,
			"the certificate of the service is not valid: it is not for servers (extended key usage)"},
		"no host": {issue(t, top, x509.Certificate{Subject: pkix.Name{CommonName: "127.0.0.1"}}).pair(), top,
			"not for the host 127.0.0.1: it names no host (subject alternative name); check the host in url"},
	} {
		t.Run(name, func(t *testing.T) {
			address := secure(t, &tls.Config{Certificates: []tls.Certificate{c.sent}})
			_, err := newClient(t, Target{URL: address, TLS: &tls.Config{RootCAs: c.trusted.pool()}}).Reach(t.Context())
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			assert.Contains(t, err.Error(), c.want)
			assert.Equal(t, failure.Setup, failure.KindOf(err))
		})
	}
}

// TestReachTellsWhatIsWrongWithOurCertificate: with TLS 1.2 many servers say no more than that the handshake failed.
func TestReachTellsWhatIsWrongWithOurCertificate(t *testing.T) {
	top, other := authorityNamed(t, "Top", nil), authorityNamed(t, "Other", nil)
	middle := authorityNamed(t, "Middle", top)
	server := forHere(t, top).pair()
	forClients := func(by *issued) *issued {
		return issue(t, by, x509.Certificate{ExtKeyUsage: ofClients})
	}
	good := forClients(top)
	below := forClients(middle)
	expired := issue(t, top, x509.Certificate{ExtKeyUsage: ofClients,
		NotBefore: time.Date(2001, 2, 3, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2002, 2, 3, 0, 0, 0, 0, time.UTC)})
	const notSent = "the client certificate of tls.cert was not sent: the service takes those of “Top”, and ours " +
		"is of “"
	const below1 = "”; if that stands below one of these, put its certificate behind ours in tls.cert"
	for version, newest := range map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
		for name, c := range map[string]struct {
			given []tls.Certificate
			want  string
		}{
			"good":         {[]tls.Certificate{good.pair()}, ""},
			"whole":        {[]tls.Certificate{below.pair(middle)}, ""},
			"none":         {nil, "the service wants a client certificate; give one as tls.cert and tls.key"},
			"another's":    {[]tls.Certificate{forClients(other).pair()}, notSent + "Other" + below1},
			"middle alone": {[]tls.Certificate{below.pair()}, notSent + "Middle" + below1},
			"expired": {[]tls.Certificate{expired.pair()}, "the service refuses the client certificate of tls.cert " +
				"(expired certificate), which is of “Top” and valid from 2001-02-03 00:00 UTC to " +
				"2002-02-03 00:00 UTC"},
		} {
			t.Run(name+" "+version, func(t *testing.T) {
				address := secure(t, &tls.Config{Certificates: []tls.Certificate{server}, MaxVersion: newest,
					ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: top.pool()})
				ours := &tls.Config{RootCAs: top.pool(), Certificates: c.given}
				client := newClient(t, Target{URL: address, TLS: ours})
				_, err := client.Reach(t.Context())
				if c.want == "" {
					require.NoError(t, err)
					return
				}
				require.Error(t, err)
				assert.Equal(t, "GET "+address+"/ags/servicediscovery got no answer: "+c.want, err.Error())
				assert.Equal(t, "tls.cert", KeyOf(err))
				x := client.Do(t.Context(), Call{Method: "POST", Path: "/"})
				assert.True(t, x.NoConnection, "nothing of the request was read")
			})
		}
	}
}

// TestReachTellsThatNoNameWasSent: where url has an address, TLS names no host, which many gateways want.
func TestReachTellsThatNoNameWasSent(t *testing.T) {
	top := authorityNamed(t, "Top", nil)
	both := issue(t, top, x509.Certificate{IPAddresses: loopback, DNSNames: []string{"ags.example"}}).pair()
	choose := func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if hello.ServerName == "ags.example" {
			return nil, nil
		}
		return nil, assert.AnError
	}
	address := secure(t, &tls.Config{Certificates: []tls.Certificate{both}, GetConfigForClient: choose})
	const hint = "no name was sent in the handshake: if one is needed, give it as sni"
	for sni, refused := range map[string]bool{"": true, "other.example": true, "ags.example": false} {
		ours := &tls.Config{RootCAs: top.pool(), ServerName: sni}
		_, err := newClient(t, Target{URL: address, TLS: ours}).Reach(t.Context())
		require.Equal(t, refused, err != nil, sni)
		if sni == "" {
			assert.ErrorContains(t, err, hint)
		} else if refused {
			assert.NotContains(t, err.Error(), hint)
		}
	}
}
