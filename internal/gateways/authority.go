//go:build linux

package gateways

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority signed the certificate of a gateway, which is for 127.0.0.1 and localhost, and one for clients. Files are
// PEM.
type Authority struct {
	Pool   *x509.CertPool
	Client tls.Certificate

	File                  string // the authority's own certificate
	Cert, Key, Both       string // of the gateway; Both: certificate and key in one file
	ClientCert, ClientKey string
}

// newAuthority makes an authority and writes its files into a folder.
func newAuthority(t testing.TB, folder string) *Authority {
	t.Helper()
	at := func(name string) string { return filepath.Join(folder, name) }
	a := &Authority{
		Pool: x509.NewCertPool(), File: at("ca.pem"), Cert: at("cert.pem"), Key: at("key.pem"), Both: at("both.pem"),
		ClientCert: at("client.pem"), ClientKey: at("client-key.pem"),
	}
	own := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Authority of a test"}, NotBefore: time.Now().Add(
			-time.Hour),
		NotAfter: time.Now().Add(
			24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	raw, err := x509.CreateCertificate(rand.Reader, own, own, &key.PublicKey, key)
	check(t, err)
	own, err = x509.ParseCertificate(raw)
	check(t, err)
	a.Pool.AddCert(own)
	write := func(name string, text []byte) { check(t, os.WriteFile(name, text, 0o644)) }
	write(a.File, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}))
	issue := func(serial int64, name string, use x509.ExtKeyUsage) (cert, secret []byte) {
		leaf := &x509.Certificate{
			SerialNumber: big.NewInt(
				serial), Subject: pkix.Name{CommonName: name}, NotBefore: own.NotBefore, NotAfter: own.NotAfter,
			DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0,
				1)}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{use},
		}
		leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		check(t, err)
		raw, err := x509.CreateCertificate(rand.Reader, leaf, own, &leafKey.PublicKey, key)
		check(t, err)
		private, err := x509.MarshalPKCS8PrivateKey(leafKey)
		check(t, err)
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE",
			Bytes: raw}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	}
	cert, secret := issue(2, "localhost", x509.ExtKeyUsageServerAuth)
	write(a.Cert, cert)
	write(a.Key, secret)
	write(a.Both, append(append([]byte{}, cert...), secret...))
	cert, secret = issue(3, "client of a test", x509.ExtKeyUsageClientAuth)
	write(a.ClientCert, cert)
	write(a.ClientKey, secret)
	a.Client, err = tls.X509KeyPair(cert, secret)
	check(t, err)
	return a
}
