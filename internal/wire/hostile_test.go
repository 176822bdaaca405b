package wire

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// until sends something again and again until the other side has enough.
func until(conn net.Conn, text string) {
	for {
		if _, err := io.WriteString(conn, text); err != nil {
			return
		}
	}
}

// hold keeps a connection open until the client leaves.
func hold(conn net.Conn) { io.Copy(io.Discard, conn) }

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

func say(text string) func(net.Conn) {
	return func(conn net.Conn) { io.WriteString(conn, text) }
}

// Whatever a service does, an exchange comes back soon, takes little memory, and says why in one clause.
func TestDoOutlivesHostileServices(t *testing.T) {
	const short = 250 * time.Millisecond // for services that would take for ever
	bomb := zipped(strings.Repeat("0", 8<<20))
	late := "no whole answer within 250ms"
	for name, c := range map[string]struct {
		serve     func(net.Conn)
		status    int
		why       string
		body      string // what came, where it is short
		truncated bool
	}{
		"never answers":       {hold, 0, late, "", false},
		"hangs after headers": {func(c net.Conn) { say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")(c); hold(c) }, 200, "the answer was cut after 1 of 9 bytes|" + late, "{", false},
		"a byte at a time": {func(c net.Conn) {
			say("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")(c)
			for range 1000 {
				if _, err := io.WriteString(c, "x"); err != nil {
					return
				}
				time.Sleep(10 * time.Millisecond) // this is what the service does
			}
		}, 200, late, "-", false},
		"a header byte at a time": {func(c net.Conn) {
			for range 1000 {
				if _, err := io.WriteString(c, "H"); err != nil {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		}, 0, late + "|what came back is not a valid HTTP/1.1 answer", "", false},
		"closes at once": {func(c net.Conn) {}, 0, "the service closed the connection without a whole answer", "", false},
		"resets at once": {func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }, 0, "the service reset the connection|the service closed the connection without a whole answer", "", false},
		"resets in the body": {func(c net.Conn) {
			say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")(c)
			c.(*net.TCPConn).SetLinger(0)
		}, -1, "the service reset the connection", "-", false},
		"cut in the body":         {say("HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"a\":"), 201, "the answer was cut after 5 of 100 bytes", `{"a":`, false},
		"cut in the headers":      {say("HTTP/1.1 201 Created\r\nContent-Le"), 0, "what came back is not a valid HTTP/1.1 answer", "", false},
		"cut in a chunk":          {say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"a"), 200, "the answer was cut after 3 bytes", `{"a`, false},
		"no last chunk":           {say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"), 200, "the answer was cut after 2 bytes", "{}", false},
		"garbage for a chunk":     {say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"), 200, "the chunked body of the answer is malformed", "", false},
		"chunk with a long size":  {say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"), 200, "the chunked body of the answer is malformed", "", false},
		"more than its length":    {say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}{}{}"), 200, "", "{}", false},
		"no length":               {say("HTTP/1.1 200 OK\r\n\r\n{}"), 200, "", "{}", false},
		"two lengths":             {say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"), 0, "what came back is not a valid HTTP/1.1 answer", "", false},
		"length no number":        {say("HTTP/1.1 200 OK\r\nContent-Length: s3cret\r\n\r\n{}"), 0, "what came back is not a valid HTTP/1.1 answer", "", false},
		"length below zero":       {say("HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}"), 0, "what came back is not a valid HTTP/1.1 answer", "", false},
		"unknown transfer coding": {say("HTTP/1.1 200 OK\r\nTransfer-Encoding: s3cret\r\n\r\n{}"), 0, "what came back is not a valid HTTP/1.1 answer", "", false},
		"HTTP/0.9":                {say("{\"access_token\":\"s3cret\"}\n"), 0, "what came back is not a valid HTTP/1.1 answer", "", false},
		"HTTP/2 frames":           {say("\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"), 0, "what came back is not a valid HTTP/1.1 answer|the service closed the connection without a whole answer", "", false},
		"another protocol":        {say("SSH-2.0-OpenSSH_9.2 s3cret\r\n"), 0, "what came back is not a valid HTTP/1.1 answer", "", false},
		"status of two digits":    {say("HTTP/1.1 20 OK\r\n\r\n"), 0, "what came back is not a valid HTTP/1.1 answer", "", false},
		"status of four digits":   {say("HTTP/1.1 2000 OK\r\n\r\n"), 0, "what came back is not a valid HTTP/1.1 answer", "", false},
		"header without a colon":  {say("HTTP/1.1 200 OK\r\ns3cret\r\n\r\n"), 0, "what came back is not a valid HTTP/1.1 answer", "", false},
		"HTTP/1.0":                {say("HTTP/1.0 200 OK\r\n\r\n{}"), 200, "", "{}", false},
		"no reason phrase":        {say("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}"), 200, "", "{}", false},
		"unheard-of status":       {say("HTTP/1.1 799 \xff\r\nContent-Length: 2\r\n\r\n{}"), 799, "", "{}", false},
		"a megabyte of header":    {say("HTTP/1.1 200 OK\r\nX-Long: " + strings.Repeat("x", 1<<20) + "\r\n\r\n"), 0, "the headers of the answer are longer than 256 kB", "", false},
		"thousands of headers":    {say("HTTP/1.1 200 OK\r\n" + strings.Repeat("X-Many: 1\r\n", 100000) + "\r\n"), 0, "the headers of the answer are longer than 256 kB", "", false},
		"endless header":          {func(c net.Conn) { say("HTTP/1.1 200 OK\r\n")(c); until(c, "X-Many: 1\r\n") }, 0, "the headers of the answer are longer than 256 kB", "", false},
		"interim answers":         {say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), 200, "", "{}", false},
		"endless interim answers": {func(c net.Conn) { until(c, "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n") }, 0, "the headers of the answer are longer than 256 kB", "", false},
		"upgrade nobody asked for": {func(c net.Conn) {
			say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n")(c)
			hold(c)
		}, 101, "the service switched to another protocol, which nobody asked for", "", false},
		"100 MB": {func(c net.Conn) {
			say("HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")(c)
			until(c, strings.Repeat("x", 1<<16))
		}, 200, "", "-", true},
		"endless body": {func(c net.Conn) { say("HTTP/1.1 200 OK\r\n\r\n")(c); until(c, strings.Repeat("x", 1<<16)) }, 200, "", "-", true},
		"gzip":         {say("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + zipped("{}")), 200, "", "{}", false},
		"gzip bomb":    {say("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + bomb), 200, "", "-", true},
		"gzip of nothing, endless": {func(c net.Conn) {
			say("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")(c)
			until(c, strings.Repeat(zipped(""), 1000))
		}, 200, "", "", true},
		"gzip that is none":          {say("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n{\"access_token\":\"s3cret\"}"), 200, "the body is not what its Content-Encoding gzip says", "", false},
		"gzip, cut":                  {say("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + zipped(strings.Repeat("{}", 999))[:20]), 200, "the answer was cut after 20 bytes", "-", false},
		"gzip, empty":                {say("HTTP/1.1 403 Forbidden\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n"), 403, "", "", false},
		"coding nobody asked for":    {say("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n\x0b\x00"), 200, "the body has a Content-Encoding that was not asked for", "", false},
		"refuses before the body":    {say("HTTP/1.1 413 Payload Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"), 413, "", "", false},
		"204 with a body":            {say("HTTP/1.1 204 No Content\r\n\r\n{}"), 204, "", "", false},
		"control characters in head": {say("HTTP/1.1 200 OK\r\nX-A: a\x01\x02\r\nContent-Length: 2\r\n\r\n{}"), -1, "|what came back is not a valid HTTP/1.1 answer", "-", false},
	} {
		t.Run(name, func(t *testing.T) {
			address := rawServer(t, func(conn net.Conn, _ []byte) {
				c.serve(conn)
				if tcp, ok := conn.(*net.TCPConn); ok && name != "resets at once" && name != "resets in the body" {
					tcp.CloseWrite()
					conn.SetReadDeadline(time.Now().Add(time.Second))
					io.Copy(io.Discard, conn) // so that closing resets nothing
				}
			})
			timeout := 20 * time.Second
			if strings.Contains(c.why, late) {
				timeout = short
			}
			client := newClient(t, Target{URL: address, Timeout: timeout, MaxBody: 64 << 10})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			started := time.Now()
			x := client.Do(t.Context(), Call{Method: "POST", Path: "/ags/signOn", Body: []byte("{}")})
			took := time.Since(started)
			runtime.ReadMemStats(&after)
			assert.Less(t, took, 10*time.Second)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(24<<20))
			if c.status >= 0 {
				assert.Equal(t, c.status, x.Status)
			}
			assert.Contains(t, strings.Split(c.why, "|"), Explain(x.Err), "%#v", x.Err)
			if c.body != "-" {
				assert.Equal(t, c.body, string(x.Body))
			}
			assert.LessOrEqual(t, len(x.Body), 64<<10)
			assert.Equal(t, c.truncated, x.Truncated)
			assert.NotContains(t, (&Redactor{}).Record(x).Error, "s3cret")
		})
	}
}

func certificate(t testing.TB, host string, from, to time.Time) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, NotBefore: from, NotAfter: to,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses, template.DNSNames = []net.IP{ip}, nil
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func TestDoSaysWhatIsWrongWithTLS(t *testing.T) {
	year := 365 * 24 * time.Hour
	now := time.Now()
	for name, c := range map[string]struct {
		certificate tls.Certificate
		trusted     bool
		server      func(*tls.Config)
		want        string
	}{
		"fine":        {certificate(t, "127.0.0.1", now.Add(-year), now.Add(year)), true, nil, ""},
		"not trusted": {certificate(t, "127.0.0.1", now.Add(-year), now.Add(year)), false, nil, "the certificate of the service is signed by an authority that is not trusted here; give its certificate as tls.ca"},
		"wrong name":  {certificate(t, "api.example.com", now.Add(-year), now.Add(year)), true, nil, "the certificate of the service is not for the host 127.0.0.1; check the host in url"},
		"expired": {certificate(t, "127.0.0.1", time.Date(2001, 2, 3, 0, 0, 0, 0, time.UTC), time.Date(2002, 2, 3, 0, 0, 0, 0, time.UTC)), true, nil,
			"the certificate of the service is valid from 2001-02-03 to 2002-02-03 and not now; renew it, or check the clock of this machine"},
		"client certificate wanted": {certificate(t, "127.0.0.1", now.Add(-year), now.Add(year)), true, func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert },
			"the service wants a client certificate, or refuses ours; give one as tls.cert and tls.key"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "{}") }))
			server.Config.ErrorLog = nil
			server.TLS = &tls.Config{Certificates: []tls.Certificate{c.certificate}}
			if c.server != nil {
				c.server(server.TLS)
			}
			listener := tls.NewListener(server.Listener, server.TLS)
			server.Listener = listener
			server.Config.ErrorLog = discardLog()
			server.Start()
			defer server.Close()
			pool := x509.NewCertPool()
			if c.trusted {
				pool.AddCert(c.certificate.Leaf)
			}
			client := newClient(t, Target{URL: "https" + strings.TrimPrefix(server.URL, "http"), TLS: &tls.Config{RootCAs: pool}})
			x := client.Do(t.Context(), Call{Method: "GET", Path: "/"})
			assert.Equal(t, c.want, Explain(x.Err), "%#v", x.Err)
			if c.want == "" {
				assert.Equal(t, 200, x.Status)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	dial := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}, Err: os.NewSyscallError("connect", err)}
	}
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"nothing":         {nil, ""},
		"no such host":    {&net.DNSError{Err: "no such host", Name: "api.example.invalid", IsNotFound: true}, "there is no host api.example.invalid; check the host in url"},
		"resolver down":   {&net.DNSError{Err: "server misbehaving", Name: "api.example.com", IsTemporary: true}, "the name of the host api.example.com cannot be resolved at the moment"},
		"refused":         {dial(syscall.ECONNREFUSED), "the connection to 192.0.2.1:443 was refused: nothing listens there"},
		"no route":        {dial(syscall.EHOSTUNREACH), "there is no route to 192.0.2.1:443"},
		"dial timed out":  {dial(syscall.ETIMEDOUT), "the connection to 192.0.2.1:443 was not accepted in time"},
		"descriptors":     {dial(syscall.EMFILE), "this machine is out of file descriptors; raise the limit (ulimit -n)"},
		"ports":           {dial(syscall.EADDRNOTAVAIL), "this machine is out of local ports"},
		"reset":           {fmt.Errorf("read: %w", syscall.ECONNRESET), "the service reset the connection"},
		"proxy":           {&net.OpError{Op: "proxyconnect", Net: "tcp", Err: dial(syscall.ECONNREFUSED)}, "the proxy cannot be used: the connection to 192.0.2.1:443 was refused: nothing listens there"},
		"handshake":       {&net.OpError{Op: "remote error", Err: errors.New("tls: no application protocol")}, "the service refuses HTTP/1.1 over TLS (no application protocol); it may speak HTTP/2 only"},
		"interrupted":     {context.Canceled, "the run was interrupted"},
		"deadline":        {context.DeadlineExceeded, "no whole answer in time"},
		"own time-out":    {fmt.Errorf("get: %w", timeoutError{30 * time.Second}), "no whole answer within 30s"},
		"unknown":         {errors.New(`odd "s3cret \" value" thing`), `odd "…" thing`},
		"unknown and cut": {errors.New(strings.Repeat("ä", 300)), strings.Repeat("ä", 100) + "…"},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, Explain(c.err)) })
	}
}

func TestDoIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	address := rawServer(t, func(conn net.Conn, _ []byte) { cancel(); hold(conn) })
	x := newClient(t, Target{URL: address}).Do(ctx, Call{Method: "GET", Path: "/"})
	assert.Equal(t, "the run was interrupted", Explain(x.Err))
	assert.Less(t, x.Duration(), 5*time.Second)
}

func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }
