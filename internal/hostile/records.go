package hostile

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"sync"
)

// records are TLS connections on which something else comes in place of an answer, after a good handshake.
func records() []Behaviour {
	secure := &connection{config: func() *tls.Config { return &tls.Config{Certificates: []tls.Certificate{good()}} }}
	// Of TLS 1.2 and of one cipher suite, so that the spy knows how to make records.
	old := &connection{config: func() *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{good()}, MaxVersion: tls.VersionTLS12,
			CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}
	}}
	return []Behaviour{
		{Name: "TLS, closed in place of an answer", connect: secure, Answer: func(t *Turn) bool { return false }},
		{Name: "TLS, cut in place of an answer", connect: secure, Answer: func(t *Turn) bool {
			t.raw.Close()
			return false
		}},
		{Name: "TLS, cut in a body without a length", connect: secure, Answer: func(t *Turn) bool {
			r := t.Good()
			t.Say(string(r.head("Connection: close")) + string(r.Body))
			goodbye(&countedConn{t.raw, &t.server.written}) // without the goodbye of TLS (RFC 8446 section 6.1)
			return false
		}},
		{Name: "TLS, garbage in place of a record", connect: secure, Answer: func(t *Turn) bool {
			t.raw.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
			goodbye(&countedConn{t.raw, &t.server.written})
			return false
		}},
		{Name: "TLS, a record that is not ours", connect: secure, Answer: func(t *Turn) bool {
			t.raw.Write(append([]byte{23, 3, 3, 0, 32}, bytes.Repeat([]byte{7}, 32)...))
			goodbye(&countedConn{t.raw, &t.server.written})
			return false
		}},
		{Name: "TLS, an alert in place of an answer", connect: old, Answer: func(t *Turn) bool {
			t.spy.send(recordAlert, []byte{2, 80}) // fatal, internal_error
			goodbye(&countedConn{t.raw, &t.server.written})
			return false
		}},
		{Name: "TLS, a renegotiation in place of an answer", connect: old, Answer: func(t *Turn) bool {
			t.spy.send(recordHandshake, []byte{0, 0, 0, 0}) // HelloRequest (RFC 5246 section 7.4.1.1)
			t.Hold()
			return false
		}},
	}
}

// The types of TLS records (RFC 5246 section 6.2.1).
const (
	recordChangeCipherSpec = 20
	recordAlert            = 21
	recordHandshake        = 22
)

// recordSpy sits between TLS and the connection. It learns the keys of a connection of TLS 1.2 and counts its records,
// so that it can send one that crypto/tls would never send.
type recordSpy struct {
	*countedConn

	mu           sync.Mutex // guards what follows
	clientRandom []byte
	master       []byte
	serverRandom []byte
	sealed       bool
	sequence     uint64
}

// newRecordSpy is nil where no records are to be made.
func newRecordSpy(conn *countedConn, wanted bool) *recordSpy {
	if !wanted {
		return nil
	}
	return &recordSpy{countedConn: conn}
}

// Write serves as tls.Config.KeyLogWriter and as the connection's; the two are told apart by their form.
func (s *recordSpy) Write(p []byte) (int, error) {
	s.mu.Lock()
	if rest, ok := strings.CutPrefix(string(p), "CLIENT_RANDOM "); ok {
		defer s.mu.Unlock()
		fields := strings.Fields(rest)
		s.clientRandom, _ = hex.DecodeString(fields[0])
		s.master, _ = hex.DecodeString(fields[1])
		return len(p), nil
	}
	for r := p; len(r) >= 5; {
		end := 5 + int(binary.BigEndian.Uint16(r[3:5]))
		switch {
		case s.sealed:
			s.sequence++
		case r[0] == recordChangeCipherSpec:
			s.sealed = true
		case r[0] == recordHandshake && r[5] == 2 && s.serverRandom == nil:
			// ServerHello: type, length of 3 bytes, version of 2, random
			s.serverRandom = bytes.Clone(r[11:43])
		}
		r = r[min(end, len(r)):]
	}
	s.mu.Unlock()
	return s.countedConn.Write(p)
}

// send encrypts one record of a type (RFC 5288) and sends it.
func (s *recordSpy) send(kind byte, text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := prf12(s.master, "key expansion", append(bytes.Clone(s.serverRandom), s.clientRandom...), 40)
	block, _ := aes.NewCipher(keys[16:32]) // of the server
	seal, _ := cipher.NewGCM(block)
	nonce := binary.BigEndian.AppendUint64(bytes.Clone(keys[36:40]), s.sequence)
	data := binary.BigEndian.AppendUint64(nil, s.sequence)
	data = append(data, kind, 3, 3, 0, byte(len(text)))
	record := append([]byte{kind, 3, 3, 0, byte(8 + len(text) + seal.Overhead())}, nonce[4:]...)
	record = seal.Seal(record, nonce, text, data)
	s.sequence++
	s.countedConn.Write(record)
}

// prf12 is the pseudorandom function of TLS 1.2 (RFC 5246 section 5).
func prf12(secret []byte, label string, seed []byte, length int) []byte {
	sum := func(parts ...[]byte) []byte {
		h := hmac.New(sha256.New, secret)
		for _, p := range parts {
			h.Write(p)
		}
		return h.Sum(nil)
	}
	seed = append([]byte(label), seed...)
	var out []byte
	for a := sum(seed); len(out) < length; a = sum(a) {
		out = append(out, sum(a, seed)...)
	}
	return out[:length]
}
