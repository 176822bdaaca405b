package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// timeoutError is the end of Target.Timeout.
type timeoutError struct {
	after time.Duration
	until string // what was waited for, where that is no answer
}

func (e timeoutError) Error() string {
	if e.until != "" {
		return fmt.Sprintf("%s in time (%s)", e.until, e.after)
	}
	return fmt.Sprintf("no whole answer within %s", e.after)
}
func (e timeoutError) Timeout() bool { return true }

// cutError is an answer that broke off; want is −1 where the service did not say how long it would be.
type cutError struct {
	got, want int64
	err       error
}

func (e cutError) Error() string {
	if e.want > 0 {
		return fmt.Sprintf("the answer was cut after %d of %d bytes", e.got, e.want)
	}
	return fmt.Sprintf("the answer was cut after %d bytes", e.got)
}
func (e cutError) Unwrap() error { return e.err }

var (
	errNoAnswer = errors.New("what came back is not a valid HTTP/1.1 answer")
	errUpgraded = errors.New("the service switched to another protocol, which nobody asked for")
)

// codingError is a body that cannot be decoded.
type codingError struct {
	coding string
	err    error
}

func (e codingError) Error() string {
	switch e.coding {
	case "gzip", "x-gzip", "deflate":
		return "the body is not what its Content-Encoding " + e.coding + " says"
	}
	return "the body has a Content-Encoding that was not asked for"
}
func (e codingError) Unwrap() error        { return e.err }
func (e codingError) Is(target error) bool { return target == ErrCoding }

// ErrCoding marks errors of a body that cannot be decoded, for errors.Is.
var ErrCoding = errors.New("the body cannot be decoded")

// causeOf puts the reason why a context ended in place of the bare fact. The time of the context is that of the
// connection too, which may notice a moment earlier that it is over.
func causeOf(ctx context.Context, err error) error {
	if end, limited := ctx.Deadline(); limited && isDeadline(err) && !time.Now().Before(end) {
		<-ctx.Done()
	}
	if cause := context.Cause(ctx); cause != nil && ctx.Err() != nil {
		var cut cutError
		if errors.As(err, &cut) {
			return cut
		}
		return cause
	}
	return err
}

// Explain says in one plain clause, in lower case and without a full stop, why there is no whole answer. It holds no
// part of an answer, but for names in a certificate, and so no secret. Explain(nil) is empty.
func Explain(err error) string {
	if err == nil {
		return ""
	}
	for _, explain := range []func(error) string{explainOwn, explainProxy, explainTLS, explainDial, explainText} {
		if text := explain(err); text != "" {
			return text
		}
	}
	return plain(err.Error())
}

func explainOwn(err error) string {
	var timeout timeoutError
	var cut cutError
	var coding codingError
	var refusal proxyRefusal
	switch {
	case errors.As(err, &refusal):
		return refusal.Error()
	case errors.As(err, &timeout):
		return timeout.Error()
	case errors.As(err, &cut):
		return cut.Error()
	case errors.As(err, &coding):
		return coding.Error()
	case errors.Is(err, errUpgraded):
		return errUpgraded.Error()
	case errors.Is(err, context.Canceled):
		return "the run was interrupted"
	case isDeadline(err):
		return "no whole answer in time"
	}
	return ""
}

// The operations by which net/http names errors of a proxy.
const proxyConnect, socksConnect = "proxyconnect", "socks connect"

// toldOfProxy tells that an error says itself that a proxy is its reason.
func toldOfProxy(err error) bool {
	var operation *net.OpError
	return errors.As(err, &operation) && (operation.Op == proxyConnect || operation.Op == socksConnect)
}

// explainProxy says why a proxy cannot be used, or why one of SOCKS made no connection. What went wrong on the way to
// it, with its name or with its certificate, is not the service's.
func explainProxy(err error) string {
	var operation *net.OpError
	switch {
	case !errors.As(err, &operation) || operation.Err == nil:
		return ""
	case operation.Op == socksConnect:
		return refusedBySOCKS(operation.Err.Error())
	case operation.Op == proxyConnect:
		return "the proxy cannot be used: " + strings.NewReplacer("the service", "the proxy", "in url", "in proxy",
			", or give the name that it is for as sni", "").Replace(Explain(operation.Err))
	}
	return ""
}

func isDeadline(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}

// unknownName is the alert of TLS with which a gateway says that it does not know the requested name (RFC 6066 section
// 3).
const unknownName = "TLS: unrecognized name"

func explainTLS(err error) string {
	var record tls.RecordHeaderError
	if text := explainCertificate(err); text != "" {
		return text
	}
	switch {
	case errors.As(err, &record) && strings.Contains(record.Msg, "received record with version"):
		return "the service broke the rules of TLS: what came in mid-connection is no TLS record"
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "the service does not speak TLS on this port; if it is a plain one, write http:// in url"
	}
	if alert := remoteAlert(err); alert != "" {
		switch {
		case strings.Contains(alert, "unrecognized name"):
			return "what listens there knows no service of this host name (" + unknownName + "); check the host in url"
		case strings.Contains(alert, "certificate"):
			return "the service wants a client certificate, or refuses ours; give one as tls.cert and tls.key"
		case strings.Contains(alert, "no application protocol"):
			return "the service refuses HTTP/1.1 over TLS (no application protocol); it may speak HTTP/2 only"
		case strings.Contains(alert, "protocol version"):
			return "the service speaks no version of TLS from 1.2 on (protocol version not supported)"
		}
		return "the service ended the TLS connection: " + plain(alert)
	}
	if _, alert, found := strings.Cut(err.Error(), "local error: tls: "); found {
		switch {
		case strings.Contains(alert, "no renegotiation"):
			return "the service asked for a renegotiation of TLS in place of an answer, which is refused"
		case strings.Contains(alert, "protocol version"):
			return "the service speaks no version of TLS from 1.2 on (protocol version not supported)"
		}
		return "the service broke the rules of TLS: " + plain(alert)
	}
	return ""
}

func explainDial(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		if dns.IsNotFound {
			return fmt.Sprintf("there is no host %s; check the host in url", dns.Name)
		}
		return fmt.Sprintf("the name of the host %s cannot be resolved at the moment", dns.Name)
	}
	at := ""
	var operation *net.OpError
	if errors.As(err, &operation) && operation.Addr != nil {
		at = " to " + operation.Addr.String()
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection" + at + " was refused: nothing listens there"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNABORTED):
		return "the service reset the connection"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no route" + at
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "this machine is out of file descriptors; raise the limit (ulimit -n)"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine is out of local ports"
	}
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		if operation != nil && operation.Op == "dial" {
			return "the connection" + at + " was not accepted in time"
		}
		return "no whole answer in time"
	}
	return ""
}

func explainText(err error) string {
	text := err.Error()
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(text,
		"server closed idle connection"):
		return "the service closed the connection without a whole answer"
	case strings.Contains(text, "headers exceeded"), strings.Contains(text, "too many 1xx"), strings.Contains(text,
		"header list too large"):
		return fmt.Sprintf("the headers of the answer are longer than %d kB", maxHeaderBytes>>10)
	case strings.Contains(text, "malformed HTTP"), strings.Contains(text, "malformed MIME"), strings.Contains(text,
		"bad Content-Length"),
		strings.Contains(text, "unsupported transfer encoding"), strings.Contains(text, "invalid header"),
		strings.Contains(text, "too many transfer encodings"), strings.Contains(text, "Content-Length"):
		if strings.Contains(text, "invalid header field") && !strings.Contains(text, "malformed") {
			return "a header of the request cannot be sent over HTTP"
		}
		if strings.Contains(text, `malformed HTTP response "\x15\x03`) { // an alert of TLS
			return "the service speaks TLS on this port; write https:// in url"
		}
		return errNoAnswer.Error()
	case strings.Contains(text, "chunk"):
		return "the chunked body of the answer is malformed"
	case strings.Contains(text, "proxyconnect"), strings.Contains(text, "Proxy Authentication"):
		return "the proxy refused to connect"
	}
	return ""
}

var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"?`)

// plain takes out of an error's text what may have come from an answer.
func plain(text string) string {
	text = quoted.ReplaceAllString(text, `"…"`)
	text, _, _ = strings.Cut(text, "\n")
	if len(text) > 200 {
		text = strings.ToValidUTF8(text[:200], "") + "…"
	}
	return text
}
