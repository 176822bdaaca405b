package hostile

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"strings"
	"sync"
)

// silences never give a whole answer.
func silences() []Behaviour {
	return []Behaviour{
		{Name: "never answers", Endless: true, Answer: func(t *Turn) bool { t.Hold(); return false }},
		{Name: "hangs after the headers", Endless: true, Answer: framed(func(t *Turn, r Reply) {
			t.Say(string(r.head("Content-Length: 9")) + "{")
			t.Hold()
		})},
		{Name: "hangs in a chunk", Endless: true, Answer: framed(func(t *Turn, r Reply) {
			t.Say(string(r.head("Transfer-Encoding: chunked")) + "9\r\n{")
			t.Hold()
		})},
		{Name: "one byte of the body a second", Endless: true, Answer: framed(func(t *Turn, r Reply) {
			t.Say(string(r.head("Content-Length: 1000")))
			t.Drip(strings.Repeat("x", 1000))
		})},
		{Name: "one byte of the headers a second", Endless: true, Answer: framed(func(t *Turn, r Reply) { t.Drip(string(r.Bytes())) })},
		{Name: "answers that it goes on, and hangs", Endless: true, Answer: func(t *Turn) bool {
			t.Say("HTTP/1.1 100 Continue\r\n\r\n")
			t.Hold()
			return false
		}},
	}
}

// ends are answers that break off.
func ends() []Behaviour {
	return []Behaviour{
		{Name: "closes at once", Answer: func(t *Turn) bool { return false }},
		{Name: "resets at once", Answer: func(t *Turn) bool { t.Reset(); return false }},
		{Name: "resets in the headers", Answer: func(t *Turn) bool { t.Say("HTTP/1.1 200 OK\r\nContent-Le"); t.Reset(); return false }},
		{Name: "resets in the body", Answer: func(t *Turn) bool {
			t.Say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
			t.Reset()
			return false
		}},
		{Name: "cut in the headers", Answer: says("HTTP/1.1 201 Created\r\nContent-Le")},
		{Name: "cut in the body", Answer: says("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":")},
		{Name: "cut in a chunk", Answer: says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"a")},
		{Name: "no last chunk", Answer: framed(func(t *Turn, r Reply) {
			t.Say(string(r.head("Transfer-Encoding: chunked")) + fmt.Sprintf("%x\r\n%s\r\n", len(r.Body), r.Body))
		})},
	}
}

// framings are wrong lengths and chunks, and some that are right.
func framings() []Behaviour {
	withLength := func(lines ...string) func(*Turn) bool {
		return framed(func(t *Turn, r Reply) { t.Say(string(r.head(lines...)) + string(r.Body)) })
	}
	chunks := func(text string) func(*Turn) bool {
		return framed(func(t *Turn, r Reply) { t.Say(string(r.head("Transfer-Encoding: chunked")) + text) })
	}
	return []Behaviour{
		{Name: "a length above what comes", Answer: framed(func(t *Turn, r Reply) {
			t.Say(string(r.head(fmt.Sprintf("Content-Length: %d", len(r.Body)+1))) + string(r.Body))
		})},
		{Name: "a length below what comes", Answer: framed(func(t *Turn, r Reply) {
			t.Say(string(r.head(fmt.Sprintf("Content-Length: %d", len(r.Body)-1))) + string(r.Body))
		})},
		{Name: "more behind the end", Answer: framed(func(t *Turn, r Reply) { t.Say(string(r.Bytes()) + "{}{}") })},
		{Name: "no length", Answer: withLength()},
		{Name: "a length said twice", Answer: framed(func(t *Turn, r Reply) {
			length := fmt.Sprintf("Content-Length: %d", len(r.Body))
			t.Say(string(r.head(length, length)) + string(r.Body))
		})},
		{Name: "two lengths", Answer: withLength("Content-Length: 2", "Content-Length: 3")},
		{Name: "two lengths in one line", Answer: withLength("Content-Length: 2, 3")},
		{Name: "a length that is no number", Answer: withLength("Content-Length: s3cret")},
		{Name: "a length below zero", Answer: withLength("Content-Length: -2")},
		{Name: "a length with a sign", Answer: withLength("Content-Length: +2")},
		{Name: "a length of 10^18", Answer: withLength("Content-Length: 1000000000000000000")},
		{Name: "a length of 10^30", Answer: withLength("Content-Length: 1000000000000000000000000000000")},
		{Name: "a length and chunks", Answer: framed(func(t *Turn, r Reply) {
			t.Say(string(r.head("Content-Length: 3", "Transfer-Encoding: chunked")) +
				fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(r.Body), r.Body))
		})},
		{Name: "an unknown transfer coding", Answer: withLength("Transfer-Encoding: s3cret")},
		{Name: "chunked twice", Answer: withLength("Transfer-Encoding: chunked", "Transfer-Encoding: chunked")},
		{Name: "chunks with extensions and a trailer", Answer: framed(func(t *Turn, r Reply) {
			t.Say(string(r.head("Transfer-Encoding: chunked", "Trailer: X-Sum")) +
				fmt.Sprintf("%x;a=b\r\n%s\r\n0\r\nX-Sum: 1\r\n\r\n", len(r.Body), r.Body))
		})},
		{Name: "garbage for a chunk", Answer: chunks("zz\r\n{}\r\n")},
		{Name: "a chunk with a long size", Answer: chunks("ffffffffffffffffff\r\n")},
		{Name: "a chunk of 2^63-1 bytes", Answer: chunks("7fffffffffffffff\r\n{}")},
		{Name: "a chunk with a size below zero", Answer: chunks("-2\r\n{}\r\n")},
		{Name: "a chunk longer than its size", Answer: framed(func(t *Turn, r Reply) {
			t.Say(string(r.head("Transfer-Encoding: chunked")) + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(r.Body)-1,
				r.Body))
		})},
		{Name: "chunks without an end", Answer: framed(func(t *Turn, r Reply) {
			t.Say(string(r.head("Transfer-Encoding: chunked")))
			t.Until(strings.Repeat("4\r\n    \r\n", 1000))
		})},
	}
}

// bomb is a thousand million blanks in a million bytes: members of gzip may follow each other (RFC 1952 section 2.2).
var bomb = sync.OnceValue(func() string {
	return strings.Repeat(string(zipped(bytes.Repeat([]byte(" "), 1<<20))), 1000)
})

func zipped(text []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(text)
	w.Close()
	return b.Bytes()
}

// codings are codings of the content.
func codings() []Behaviour {
	coded := func(coding string, encode func([]byte) []byte) func(*Turn) bool {
		return spoils(func(r *Reply) {
			r.Header = append(r.Header, "Content-Encoding: "+coding)
			r.Body = encode(r.Body)
		})
	}
	same := func(text []byte) []byte { return text }
	return []Behaviour{
		{Name: "gzip", Answer: coded("gzip", zipped)},
		{Name: "identity", Answer: coded("identity", same)},
		{Name: "deflate", Answer: coded("deflate", func(text []byte) []byte {
			var b bytes.Buffer
			w := zlib.NewWriter(&b)
			w.Write(text)
			w.Close()
			return b.Bytes()
		})},
		{Name: "deflate without its frame", Answer: coded("deflate", func(text []byte) []byte {
			var b bytes.Buffer
			w, _ := flate.NewWriter(&b, flate.DefaultCompression)
			w.Write(text)
			w.Close()
			return b.Bytes()
		})},
		{Name: "gzip bomb", Answer: coded("gzip", func([]byte) []byte { return []byte(bomb()) })},
		{Name: "gzip of nothing, endless", Answer: framed(func(t *Turn, r Reply) {
			t.Say(string(r.head("Content-Encoding: gzip")))
			t.Until(strings.Repeat(string(zipped(nil)), 1000))
		})},
		{Name: "gzip that is none", Answer: coded("gzip", same)},
		{Name: "gzip, cut", Answer: coded("gzip", func(text []byte) []byte { return zipped(bytes.Repeat([]byte("{}"), 999))[:20] })},
		{Name: "gzip, spoilt", Answer: coded("gzip", func(text []byte) []byte {
			b := zipped(text)
			b[len(b)-6] ^= 0xff // in its check sum
			return b
		})},
		{Name: "gzip in gzip", Answer: coded("gzip, gzip", func(text []byte) []byte { return zipped(zipped(text)) })},
		{Name: "a coding that is unknown", Answer: coded("br", func([]byte) []byte { return []byte("\x0b\x00") })},
	}
}

// sizes are answers that are too long.
func sizes() []Behaviour {
	const much = 100 << 20
	long := strings.Repeat("x", 1<<16)
	return []Behaviour{
		{Name: "100 MB", Answer: framed(func(t *Turn, r Reply) {
			t.Say(string(r.head(fmt.Sprintf("Content-Length: %d", much))))
			for range much / len(long) {
				if t.Say(long) != nil {
					return
				}
			}
		})},
		{Name: "100 MB of right JSON", Answer: framed(func(t *Turn, r Reply) {
			t.Say(string(r.head(fmt.Sprintf("Content-Length: %d", much+len(r.Body)))) +
				strings.TrimSuffix(strings.TrimSpace(string(r.Body)), "}"))
			for range much / len(long) {
				if t.Say(strings.Repeat(" ", len(long))) != nil {
					return
				}
			}
			t.Say("}")
		})},
		{Name: "100 MB in chunks", Answer: framed(func(t *Turn, r Reply) {
			t.Say(string(r.head("Transfer-Encoding: chunked")))
			for range much / len(long) {
				if t.Say("10000\r\n"+long+"\r\n") != nil {
					return
				}
			}
			t.Say("0\r\n\r\n")
		})},
		{Name: "a body without an end", Answer: framed(func(t *Turn, r Reply) {
			t.Say(string(r.head()))
			t.Until(long)
		})},
		{Name: "a member of 500 kB", Answer: body(func(text string) string {
			return extra(text, "comment", `"`+strings.Repeat("x", 500<<10)+`"`)
		})},
		{Name: "refuses before it has read the request", Answer: func(t *Turn) bool {
			t.Say("HTTP/1.1 413 Payload Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
			return false
		}},
		{Name: "answers right before it has read the request", Answer: func(t *Turn) bool {
			r := t.GoodTo([]byte(`{"parameters":[]}`))
			r.Header = append(r.Header, "Connection: close")
			t.Send(r)
			return false
		}},
		{Name: "reads the request and nothing else", Endless: true, Answer: func(t *Turn) bool {
			io.Copy(io.Discard, t.Request.Body)
			t.Hold()
			return false
		}},
	}
}
