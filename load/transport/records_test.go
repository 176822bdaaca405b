package transport

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/wire"
	"agstest/load/hit"
)

// listening keeps what a service reads of its connections.
type listening struct {
	net.Listener
	mu   sync.Mutex // guards read
	read []byte
}

func (l *listening) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &heardConn{c, l}, err
}

type heardConn struct {
	net.Conn
	of *listening
}

func (c *heardConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.of.read = append(c.of.read, p[:n]...)
	return n, err
}

// records counts the TLS records of application data (RFC 5246 section 6.2.1).
func records(read []byte) int {
	count := 0
	for len(read) >= 5 {
		if read[0] == 23 {
			count++
		}
		read = read[min(len(read), 5+int(binary.BigEndian.Uint16(read[3:]))):]
	}
	return count
}

// TestARequestIsOneRecordOfTLS: crypto/tls by itself cuts what a young connection sends into records of a packet each,
// and writes each with a system call of its own.
func TestARequestIsOneRecordOfTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(right))
	heard := &listening{Listener: server.Listener}
	server.Listener = heard
	server.TLS = &tls.Config{MaxVersion: tls.VersionTLS12} // its handshake has records of other kinds
	server.StartTLS()
	t.Cleanup(server.Close)
	trust := x509.NewCertPool()
	trust.AddCert(server.Certificate())
	carrier := connectTo(t, wire.Target{URL: server.URL, TLS: &tls.Config{RootCAs: trust}})
	answer, _ := ask(carrier, longest, hit.Request{Method: http.MethodPost, Path: "/", Body: bytes.Repeat([]byte("x"), 8000)})
	require.NoError(t, answer.Err)
	heard.mu.Lock()
	defer heard.mu.Unlock()
	assert.Equal(t, 1, records(heard.read))
}
