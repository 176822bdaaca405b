package hostile

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Turn is one request that is answered badly.
type Turn struct {
	Conn      net.Conn
	Request   *http.Request // its body may be unread
	Number    int           // of the request on its connection, from 1
	server    *Server
	behaviour string
	raw       net.Conn // below TLS
	spy       *recordSpy
	reset     bool
}

// Reply is an answer in parts.
type Reply struct {
	Status int
	Header []string // lines without their ends, as they are sent
	Body   []byte
}

// Good returns the answer of the service.
func (t *Turn) Good() Reply {
	body, _ := io.ReadAll(t.Request.Body)
	return t.GoodTo(body)
}

// GoodTo returns the service's answer to the request if it had this body.
func (t *Turn) GoodTo(body []byte) Reply {
	r := t.Request.Clone(t.server.ends)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.RemoteAddr = t.Conn.RemoteAddr().String()
	w := httptest.NewRecorder()
	t.server.service.ServeHTTP(w, r)
	g := Reply{Status: w.Code, Body: w.Body.Bytes()}
	for name, values := range w.Header() {
		if name == "Content-Length" {
			continue // whoever sends the answer says it
		}
		for _, v := range values {
			g.Header = append(g.Header, name+": "+v)
		}
	}
	slices.Sort(g.Header)
	return g
}

// Bytes returns an answer as it goes over the wire, with a right Content-Length.
func (r Reply) Bytes() []byte {
	return append(r.head(fmt.Sprintf("Content-Length: %d", len(r.Body))), r.Body...)
}

// head is the status line and the headers, with more of them.
func (r Reply) head(more ...string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", r.Status, http.StatusText(r.Status))
	for _, line := range append(slices.Clone(r.Header), more...) {
		b.WriteString(line + "\r\n")
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// Send sends an answer.
func (t *Turn) Send(r Reply) { t.Conn.Write(r.Bytes()) }

// Say sends a text unchanged.
func (t *Turn) Say(text string) error {
	_, err := io.WriteString(t.Conn, text)
	return err
}

// Until says something again and again until the client has enough.
func (t *Turn) Until(text string) {
	for t.Say(text) == nil {
	}
}

// Drip says a text slowly, byte for byte.
func (t *Turn) Drip(text string) {
	slow := time.NewTicker(time.Second)
	defer slow.Stop()
	for i := range len(text) {
		if t.Say(text[i:i+1]) != nil {
			return
		}
		select {
		case <-slow.C:
		case <-t.server.ends.Done():
			return
		}
	}
}

// Hold keeps the connection open until the client leaves.
func (t *Turn) Hold() { io.Copy(io.Discard, t.Conn) }

// Reset ends the connection at once, so that the client's reading fails.
func (t *Turn) Reset() {
	t.reset = true
	if t.Request != nil {
		io.Copy(io.Discard, t.Request.Body)
	}
	conn := t.raw
	if conn == nil {
		conn = t.Conn.(*countedConn).Conn
	}
	conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}

// The makers of answers.

// says sends a text unchanged and closes.
func says(text string) func(*Turn) bool {
	return func(t *Turn) bool {
		io.Copy(io.Discard, t.Request.Body)
		t.Say(text)
		return false
	}
}

// spoils sends the good answer with something changed.
func spoils(change func(*Reply)) func(*Turn) bool {
	return func(t *Turn) bool {
		r := t.Good()
		change(&r)
		t.Send(r)
		return true
	}
}

// line adds header lines to the good answer.
func line(lines ...string) func(*Turn) bool {
	return spoils(func(r *Reply) { r.Header = append(r.Header, lines...) })
}

// body changes the body of the good answer.
func body(change func(string) string) func(*Turn) bool {
	return spoils(func(r *Reply) { r.Body = []byte(change(string(r.Body))) })
}

// instead sends another body with the status of the good answer.
func instead(text string) func(*Turn) bool { return body(func(string) string { return text }) }

// as sends another content type and body.
func as(media, text string) func(*Turn) bool {
	return spoils(func(r *Reply) {
		r.drop("Content-Type")
		r.Header = append(r.Header, "Content-Type: "+media)
		r.Body = []byte(text)
	})
}

// answers sends a status, headers and a body in place of the good answer.
func answers(status int, text string, lines ...string) func(*Turn) bool {
	return func(t *Turn) bool {
		io.Copy(io.Discard, t.Request.Body)
		t.Send(Reply{status, lines, []byte(text)})
		return true
	}
}

// framed lets the caller frame the good answer, says that the connection will be closed, and closes it.
func framed(write func(t *Turn, r Reply)) func(*Turn) bool {
	return func(t *Turn) bool {
		r := t.Good()
		r.Header = append(r.Header, "Connection: close")
		write(t, r)
		return false
	}
}

// member changes a member of the body as text; a missing member stays missing.
func member(name string, change func(value string) string) func(*Turn) bool {
	return body(func(text string) string { return changed(text, name, change) })
}

// becomes gives a member another value.
func becomes(name, value string) func(*Turn) bool {
	return member(name, func(string) string { return value })
}

func changed(text, name string, change func(string) string) string {
	found := regexp.MustCompile(`("` + regexp.QuoteMeta(name) + `"\s*:\s*)("(?:[^"\\]|\\.)*"|[^,}\s]+)`)
	at := found.FindStringSubmatchIndex(text)
	if at == nil {
		return text
	}
	return text[:at[4]] + change(text[at[4]:at[5]]) + text[at[5]:]
}

func (r *Reply) drop(name string) {
	r.Header = slices.DeleteFunc(r.Header, func(line string) bool { return strings.HasPrefix(line, name+":") })
}

// extra puts a member into an object, before the others.
func extra(text, name, value string) string {
	if rest, ok := strings.CutPrefix(strings.TrimSpace(text), "{"); ok {
		if strings.TrimSpace(rest) == "}" {
			return `{"` + name + `":` + value + rest
		}
		return `{"` + name + `":` + value + "," + rest
	}
	return text
}
