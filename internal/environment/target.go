package environment

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"

	"agstest/internal/failure"
	"agstest/internal/userfile"
	"agstest/internal/wire"
)

// Target says how to reach the service. It reads the TLS files; Parse has read them before, so that an error here means
// that one of them has changed since.
func (e *Environment) Target() (wire.Target, error) {
	config, err := e.tlsConfig()
	if err != nil {
		return wire.Target{}, failure.Usagef("environment %s: %w", e.Name, err)
	}
	var pathOf func(string) string
	if e.Prefix != "" {
		pathOf = e.PathOf
	}
	return wire.Target{
		URL:           e.URL,
		Tenant:        e.Tenant,
		Service:       e.Service,
		Authorization: e.Authorization,
		Headers:       e.SentHeaders(),
		TLS:           config,
		Proxy:         e.proxy,
		Timeout:       e.Timeout,
		PathOf:        pathOf,
		HTTP:          wire.HTTP(e.HTTP),
	}, nil
}

func (e *Environment) tlsConfig() (*tls.Config, error) { return e.TLS.config(e.SNI) }

// config is nil where nothing is said of TLS: then the system's authorities are trusted.
func (t TLS) config(serverName string) (*tls.Config, error) {
	if t == (TLS{}) && serverName == "" {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: serverName}
	if t.CA != "" {
		text, err := userfile.ReadPEM(t.CA)
		if err != nil {
			return nil, fmt.Errorf("tls.ca: cannot read %s: %w", t.CA, err)
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("tls.ca: %s holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)", t.CA)
		}
		config.RootCAs = pool
	}
	switch {
	case t.Cert == "" && t.Key == "":
		return config, nil
	case t.Key == "":
		return nil, fmt.Errorf("tls.cert: a client certificate needs its key too: add tls.key")
	case t.Cert == "":
		return nil, fmt.Errorf("tls.key: a client key needs its certificate too: add tls.cert")
	}
	cert, err := userfile.ReadPEM(t.Cert)
	if err != nil {
		return nil, fmt.Errorf("tls.cert: cannot read %s: %w", t.Cert, err)
	}
	key, err := userfile.ReadPEM(t.Key)
	if err != nil {
		return nil, fmt.Errorf("tls.key: cannot read %s: %w", t.Key, err)
	}
	if encryptedKey(key) {
		return nil, fmt.Errorf("tls.key: the key in %s is encrypted; give one that is not, in a file that is yours "+
			"alone: openssl pkey -in %s -out KEY.pem", t.Key, t.Key)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("tls.cert: %s and %s are not a certificate and its key in PEM form: %s",
			t.Cert, t.Key, strings.TrimPrefix(err.Error(), "tls: "))
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

// encryptedKey tells that a file in PEM form holds a private key that wants a password, in the form of PKCS #8 (RFC
// 7468 section 11) or that of old programs (RFC 1421 section 4.6.1.1).
func encryptedKey(text []byte) bool {
	return bytes.Contains(text, []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----")) ||
		bytes.Contains(text, []byte("\nProc-Type: 4,ENCRYPTED"))
}
