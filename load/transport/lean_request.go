package transport

import (
	"errors"
	"strconv"
	"strings"

	"agstest/load/hit"

	"github.com/valyala/fasthttp"
)

// appendRequest writes a request of HTTP/1.1 (RFC 9112 section 3). It is written in one piece, as the workload spells
// it. It says Connection: keep-alive, which HTTP/1.1 does not need: Apache names its idle time-out only to a client
// that says it.
func (l *leanTransport) appendRequest(out []byte, request *hit.Request) ([]byte, error) {
	out = append(append(out, request.Method...), ' ')
	out = append(append(out, l.prefix...), request.Path...)
	host, agent := l.base.Host, userAgent
	for i := range request.Header {
		switch field := &request.Header[i]; {
		case strings.EqualFold(field.Name, "Host"):
			host = field.Value
		case strings.EqualFold(field.Name, "User-Agent"):
			agent = field.Value
		}
	}
	out = append(append(out, " HTTP/1.1\r\nHost: "...), host...)
	out = append(append(out, "\r\nUser-Agent: "...), agent...)
	out = append(out, "\r\nConnection: keep-alive\r\n"...)
	if len(request.Body) > 0 || request.Method == fasthttp.MethodPost || request.Method == fasthttp.MethodPut {
		out = strconv.AppendInt(append(out, "Content-Length: "...), int64(len(request.Body)), 10)
		out = append(out, "\r\n"...)
	}
	if hasBreak(request.Method) || hasBreak(request.Path) || strings.IndexByte(request.Path, ' ') >= 0 {
		return out, errLineBreak
	}
	for i := range request.Header {
		field := &request.Header[i]
		if hasBreak(field.Name) || hasBreak(field.Value) {
			return out, errLineBreak
		}
		if strings.EqualFold(field.Name, "Host") || strings.EqualFold(field.Name, "User-Agent") {
			continue
		}
		out = append(append(out, field.Name...), ": "...)
		out = append(append(out, field.Value...), "\r\n"...)
	}
	out = append(out, "\r\n"...)
	return append(out, request.Body...), nil
}

// errLineBreak: a token that a service made must not become a second header line.
var errLineBreak = errors.New("the request line or a header would hold a line break, so that it was not sent")

func hasBreak(text string) bool {
	return strings.IndexByte(text, '\n') >= 0 || strings.IndexByte(text, '\r') >= 0
}
