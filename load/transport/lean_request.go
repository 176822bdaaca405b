package transport

import (
	"bytes"
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
	begin, lines := len(out), 5
	out = append(append(out, request.Method...), ' ')
	out = append(append(out, l.prefix...), request.Path...)
	host, agent := l.base.Host, userAgent
	for i := range request.Header {
		switch field := &request.Header[i]; {
		case isHost(field):
			host = field.Value
		case isAgent(field):
			agent = field.Value
		}
	}
	out = append(append(out, " HTTP/1.1\r\nHost: "...), host...)
	out = append(append(out, "\r\nUser-Agent: "...), agent...)
	out = append(out, "\r\nConnection: keep-alive\r\n"...)
	if len(request.Body) > 0 || request.Method == fasthttp.MethodPost || request.Method == fasthttp.MethodPut {
		out = strconv.AppendInt(append(out, "Content-Length: "...), int64(len(request.Body)), 10)
		out = append(out, "\r\n"...)
		lines++
	}
	for i := range request.Header {
		field := &request.Header[i]
		if isHost(field) || isAgent(field) {
			continue
		}
		out = append(append(out, field.Name...), ": "...)
		out = append(append(out, field.Value...), "\r\n"...)
		lines++
	}
	if len(request.Authorization) > 0 {
		out = append(append(out, "Authorization: "...), request.Authorization...)
		out = append(out, "\r\n"...)
		lines++
	}
	out = append(out, "\r\n"...)
	head := out[begin:]
	if bytes.Count(head, []byte("\n")) != lines || bytes.Count(head, []byte("\r")) != lines ||
		strings.IndexByte(request.Path, ' ') >= 0 {
		return out, errLineBreak
	}
	return append(out, request.Body...), nil
}

// errLineBreak: a token that a service made must not become a second header line.
var errLineBreak = errors.New("the request line or a header would hold a line break, so that it was not sent")

func isHost(field *hit.HeaderField) bool {
	return len(field.Name) == len("Host") && strings.EqualFold(field.Name, "Host")
}

func isAgent(field *hit.HeaderField) bool {
	return len(field.Name) == len("User-Agent") && strings.EqualFold(field.Name, "User-Agent")
}
