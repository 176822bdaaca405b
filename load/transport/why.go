package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"agstest/internal/wire"
	"agstest/load/hit"
)

// AfterHandshake tells whether an error is an alert of TLS, or a record that is none: it may come in place of an
// answer, after the service has carried out the request.
func AfterHandshake(err error) bool {
	var operation *net.OpError
	var record tls.RecordHeaderError
	return errors.As(err, &operation) && (operation.Op == "remote error" || operation.Op == "local error") ||
		errors.As(err, &record) && strings.HasPrefix(record.Msg, "received record")
}

// WhyNone says why no whole answer came.
func WhyNone(err error) string {
	var (
		timeout   interface{ Timeout() bool }
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		alert     tls.AlertError
		name      *net.DNSError
	)
	switch {
	case errors.Is(err, wire.ErrCoding):
		return hit.KindShape
	case AfterHandshake(err):
		return hit.KindTLS
	case errors.As(err, &authority), errors.As(err, &hostname), errors.As(err, &invalid), errors.As(err,
		&verify), errors.As(err, &record), errors.As(err, &alert):
		return hit.KindTLS
	case errors.As(err, &name):
		return hit.KindOther
	case errors.As(err, &timeout) && timeout.Timeout():
		return hit.KindTimeout
	case errors.Is(err, syscall.ECONNREFUSED):
		return hit.KindRefused
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.EADDRNOTAVAIL):
		return hit.KindMachine
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err,
		io.ErrUnexpectedEOF),
		strings.Contains(err.Error(), "closed"):
		return hit.KindReset
	case strings.Contains(err.Error(), "timed out"): // fasthttp's dialling
		return hit.KindTimeout
	}
	return hit.KindOther
}
