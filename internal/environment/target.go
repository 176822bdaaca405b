package environment

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"

	"agstest/internal/failure"
	"agstest/internal/userfile"
	"agstest/internal/wire"
)

// Target says how to reach the service. It reads the TLS files; Parse has read them before, so that an error here means that one of
// them has changed since.
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

// tlsConfig is nil where the file says nothing of TLS: then the system's authorities are trusted.
func (e *Environment) tlsConfig() (*tls.Config, error) {
	if e.TLS == (TLS{}) && e.SNI == "" {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: e.SNI}
	if e.TLS.CA != "" {
		text, err := userfile.ReadPEM(e.TLS.CA)
		if err != nil {
			return nil, fmt.Errorf("tls.ca: cannot read %s: %w", e.TLS.CA, err)
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("tls.ca: %s holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)", e.TLS.CA)
		}
		config.RootCAs = pool
	}
	switch {
	case e.TLS.Cert == "" && e.TLS.Key == "":
		return config, nil
	case e.TLS.Key == "":
		return nil, fmt.Errorf("tls.cert: a client certificate needs its key too: add tls.key")
	case e.TLS.Cert == "":
		return nil, fmt.Errorf("tls.key: a client key needs its certificate too: add tls.cert")
	}
	cert, err := userfile.ReadPEM(e.TLS.Cert)
	if err != nil {
		return nil, fmt.Errorf("tls.cert: cannot read %s: %w", e.TLS.Cert, err)
	}
	key, err := userfile.ReadPEM(e.TLS.Key)
	if err != nil {
		return nil, fmt.Errorf("tls.key: cannot read %s: %w", e.TLS.Key, err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("tls.cert: %s and %s are not a certificate and its key in PEM form: %s",
			e.TLS.Cert, e.TLS.Key, strings.TrimPrefix(err.Error(), "tls: "))
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}
