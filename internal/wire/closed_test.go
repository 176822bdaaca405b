package wire

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
)

// answersNothing speaks TLS at the address that it returns, takes a request and closes the connection; one that asks for
// a client certificate resets it. Its certificates are those of the pool.
func answersNothing(t *testing.T, asks tls.ClientAuthType) (address string, own []tls.Certificate, pool *x509.CertPool) {
	t.Helper()
	certified := httptest.NewTLSServer(nil) // for its certificate
	t.Cleanup(certified.Close)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			secure := tls.Server(conn, &tls.Config{Certificates: certified.TLS.Certificates, ClientAuth: asks})
			if secure.Handshake() == nil {
				_, _ = secure.Read(make([]byte, 4096))
			}
			if asks != tls.NoClientCert {
				_ = conn.(*net.TCPConn).SetLinger(0)
			}
			_ = conn.Close()
		}
	})
	t.Cleanup(func() { _ = listener.Close(); served.Wait() })
	pool = x509.NewCertPool()
	pool.AddCert(certified.Certificate())
	return listener.Addr().String(), certified.TLS.Certificates, pool
}

// TestReachTellsTLSThatAnswersNothing: stunnel and Hitch have no page that says what is amiss. They close the
// connection where plain HTTP comes, and where no service is behind them.
func TestReachTellsTLSThatAnswersNothing(t *testing.T) {
	address, _, pool := answersNothing(t, tls.NoClientCert)
	for scheme, want := range map[string]string{
		"http":  "got no answer: the service closed the connection without a whole answer, and it speaks TLS on this port; write https:// in url",
		"https": "got no answer: TLS came about, and then the service closed the connection without a whole answer; if a gateway ends TLS there, the service behind it is down or shut off",
	} {
		client := newClient(t, Target{URL: scheme + "://" + address, TLS: &tls.Config{RootCAs: pool}})
		_, err := client.Reach(t.Context())
		if assert.Error(t, err) {
			// Which of the two a closed connection looks like is up to the bytes that were not read.
			got := strings.Replace(err.Error(), "reset the connection", "closed the connection without a whole answer", 1)
			assert.Equal(t, "GET "+scheme+"://"+address+"/ags/servicediscovery "+want, got)
			assert.Equal(t, failure.Setup, failure.KindOf(err))
			assert.Equal(t, "url", KeyOf(err))
		}
	}
}

// TestReachTellsAWantedClientCertificate: in TLS 1.3 the handshake is over for a client before its certificate is missed,
// and Traffic Server 9.2 resets the connection then, so that its alert is lost now and then.
func TestReachTellsAWantedClientCertificate(t *testing.T) {
	address, own, pool := answersNothing(t, tls.RequestClientCert)
	for key, given := range map[string][]tls.Certificate{"tls": nil, "url": own} {
		_, err := newClient(t, Target{URL: "https://" + address, TLS: &tls.Config{RootCAs: pool, Certificates: given}}).Reach(t.Context())
		require.Error(t, err)
		assert.Equal(t, key, KeyOf(err))
		assert.Equal(t, key == "tls", strings.Contains(err.Error(), "it asks for a client certificate, and none was given"), err.Error())
	}
}
