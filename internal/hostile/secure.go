package hostile

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// connection is the special settings of a behaviour's connections.
type connection struct {
	config       func() *tls.Config // of the server; nil: no TLS is spoken
	greet        func(*Turn)        // takes the place of everything, from the first byte on
	plainAddress bool               // the address says http all the same
	ruins        bool               // the connections go bad with the first answer
}

// certificates are an authority that clients trust, and another one that they do not.
type certificates struct {
	pem      []byte
	template *x509.Certificate
	key      *ecdsa.PrivateKey
}

func newAuthority() *certificates {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "An authority of tests"}, NotBefore: time.Now().Add(
			-time.Hour),
		NotAfter: time.Now().Add(
			24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IPAddresses: []net.IP{net.ParseIP(here)},
	}
	der, _ := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return &certificates{pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), template: template,
		key: key}
}

var (
	authority = sync.OnceValue(newAuthority)
	unknown   = sync.OnceValue(newAuthority)
)

// issue makes a certificate for a host.
func (c *certificates) issue(host string, from, to time.Time) tls.Certificate {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host}, NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else if host != "" {
		template.DNSNames = []string{host}
	}
	der, _ := x509.CreateCertificate(rand.Reader, template, c.template, &key.PublicKey, c.key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

const here = "127.0.0.1"

func good() tls.Certificate {
	return authority().issue(here, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
}

func expired() tls.Certificate {
	return authority().issue(here, time.Date(2001, 2, 3, 0, 0, 0, 0, time.UTC),
		time.Date(2002, 2, 3, 0, 0, 0, 0, time.UTC))
}

// connections are services whose connections are the trouble.
func connections() []Behaviour {
	with := func(name string, certificate func() tls.Certificate, change func(*tls.Config)) Behaviour {
		return Behaviour{Name: name, connect: &connection{config: func() *tls.Config {
			c := &tls.Config{Certificates: []tls.Certificate{certificate()}}
			if change != nil {
				change(c)
			}
			return c
		}}}
	}
	greeted := func(name string, endless bool, greet func(*Turn)) Behaviour {
		return Behaviour{Name: name, Endless: endless, connect: &connection{greet: greet}}
	}
	return []Behaviour{
		with("https", good, nil),
		with("a certificate for another host", func() tls.Certificate {
			return authority().issue("ags.example.com", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
		}, nil),
		with("a certificate for no host", func() tls.Certificate {
			return authority().issue("", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
		}, nil),
		with("an expired certificate", expired, nil),
		with("a certificate that is not valid yet", func() tls.Certificate {
			return authority().issue(here, time.Date(2091, 2, 3, 0, 0, 0, 0, time.UTC),
				time.Date(2092, 2, 3, 0, 0, 0, 0, time.UTC))
		}, nil),
		with("a certificate of an unknown authority", func() tls.Certificate {
			return unknown().issue(here, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
		}, nil),
		with("a certificate that signs itself", func() tls.Certificate {
			c := newAuthority()
			block, _ := pem.Decode(c.pem)
			return tls.Certificate{Certificate: [][]byte{block.Bytes}, PrivateKey: c.key}
		}, nil),
		with("a megabyte of certificates", func() tls.Certificate {
			c := good()
			for range 2000 {
				c.Certificate = append(c.Certificate, c.Certificate[0])
			}
			return c
		}, nil),
		with("a client certificate is wanted", good, func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert }),
		with("TLS 1.0 alone", good, func(c *tls.Config) {
			c.MinVersion, c.MaxVersion = tls.VersionTLS10,
				tls.VersionTLS10
		}),
		with("HTTP/2 alone", good, func(c *tls.Config) {
			c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
				only := c.Clone()
				// Go itself would let HTTP/1.1 pass
				only.GetConfigForClient, only.NextProtos = nil, []string{"none of these"}
				for _, p := range hello.SupportedProtos {
					if p == "h2" {
						only.NextProtos = []string{"h2"}
					}
				}
				return only, nil
			}
		}),
		greeted("a handshake that hangs", true, func(t *Turn) { t.Hold() }),
		greeted("a handshake that is closed", false, func(t *Turn) {}),
		greeted("a handshake that is reset", false, func(t *Turn) { t.Conn.Read(make([]byte, 1)); t.Reset() }),
		greeted("another protocol in place of TLS", false, func(t *Turn) { t.Say("SSH-2.0-OpenSSH_9.2 s3cret\r\n") }),
		greeted("plain HTTP on the https port", false, func(t *Turn) {
			t.Say("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		}),
		{Name: "https on the plain port", connect: &connection{plainAddress: true, greet: func(t *Turn) {
			t.Conn.Read(make([]byte, 4096))
			t.Say("\x15\x03\x01\x00\x02\x02\x16") // the alert that no TLS was spoken
		}}},
		{Name: "a certificate that expires during the run", Answer: framed(func(t *Turn, r Reply) {
			t.server.turnBad()
			r.Status, r.Body = 503, nil
			t.Send(r)
		}), connect: &connection{ruins: true, config: func() *tls.Config {
			first, second := good(), expired()
			var bad atomic.Bool
			c := &tls.Config{SessionTicketsDisabled: true}
			c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
				if hello == nil { // the call of turnBad
					bad.Store(true)
				}
				if bad.Load() {
					return &second, nil
				}
				return &first, nil
			}
			return c
		}}},
	}
}

// turnBad makes a behaviour with two certificates go over to the second.
func (s *Server) turnBad() { s.config.GetCertificate(nil) }

// serveHTTP2 answers on a connection that speaks HTTP/2.
func serveHTTP2(conn net.Conn, service http.Handler) {
	ends := make(chan struct{})
	server := &http.Server{Handler: service, ErrorLog: log.New(io.Discard, "", 0),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				close(ends)
			}
		}}
	server.Protocols = new(http.Protocols)
	server.Protocols.SetHTTP2(true)
	server.TLSConfig = &tls.Config{NextProtos: []string{"h2"}}
	server.Serve(&single{conn: conn, ends: ends})
}

// single is a listener that gives one connection.
type single struct {
	conn net.Conn
	once sync.Once
	ends chan struct{}
}

func (l *single) Accept() (conn net.Conn, err error) {
	l.once.Do(func() { conn = l.conn })
	if conn != nil {
		return conn, nil
	}
	<-l.ends
	return nil, net.ErrClosed
}

func (l *single) Close() error   { return nil }
func (l *single) Addr() net.Addr { return l.conn.LocalAddr() }
