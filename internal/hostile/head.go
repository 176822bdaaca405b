package hostile

import (
	"fmt"
	"strings"
	"time"
)

// headers are lines that are wrong or many.
func headers() []Behaviour {
	cookies := make([]string, 2000)
	for i := range cookies {
		cookies[i] = fmt.Sprintf("Set-Cookie: c%d=%s; Path=/", i, strings.Repeat("x", 40))
	}
	return []Behaviour{
		{Name: "a megabyte of header", Answer: line("X-Long: " + strings.Repeat("x", 1<<20))},
		{Name: "20 kB of header", Answer: line("X-Long: " + strings.Repeat("x", 20<<10))},
		{Name: "thousands of headers", Answer: says("HTTP/1.1 200 OK\r\n" + strings.Repeat("X-Many: 1\r\n", 100_000) + "\r\n")},
		{Name: "headers without an end", Answer: framed(func(t *Turn, r Reply) {
			t.Say("HTTP/1.1 200 OK\r\n")
			t.Until(strings.Repeat("X-Many: 1\r\n", 1000))
		})},
		{Name: "2,000 cookies", Answer: line(cookies...)},
		{Name: "a header without a colon", Answer: line("s3cret")},
		{Name: "a header without a name", Answer: line(": s3cret")},
		{Name: "a header with a blank in its name", Answer: line("X s3cret: a")},
		{Name: "a header with NUL", Answer: line("X-A: a\x00b")},
		{Name: "a header with control characters", Answer: line("X-A: a\x01\x02")},
		{Name: "a header in invalid UTF-8", Answer: line("X-A: \xff\xfe\xc0\x80")},
		{Name: "a folded header", Answer: line("X-A: a", " b")},
		{Name: "lines that end in a line feed alone", Answer: framed(func(t *Turn, r Reply) {
			head := r.head(fmt.Sprintf("Content-Length: %d", len(r.Body)))
			t.Say(strings.ReplaceAll(string(head), "\r\n", "\n") + string(r.Body))
		})},
		{Name: "a date years ahead", Answer: spoils(func(r *Reply) {
			r.drop("Date")
			r.Header = append(r.Header, "Date: Wed, 01 Jan 2098 00:00:00 GMT")
		})},
		{Name: "a date that is none", Answer: spoils(func(r *Reply) {
			r.drop("Date")
			r.Header = append(r.Header, "Date: yesterday")
		})},
		{Name: "no content type", Answer: spoils(func(r *Reply) { r.drop("Content-Type") })},
		{Name: "a refresh to another host in a header", Answer: func(t *Turn) bool {
			r := t.Good()
			r.Header = append(r.Header, "Refresh: 0; url=http://"+t.server.stranger+"/")
			t.Send(r)
			return true
		}},
		{Name: "closed on every answer", Answer: framed(func(t *Turn, r Reply) { t.Send(r) })},
		{Name: "kept open in words, closed on the next request", Kept: true, Answer: func(t *Turn) bool {
			if t.Number > 1 {
				return false
			}
			t.Send(t.Good())
			return true
		}},
	}
}

// protocols are answers that are no HTTP/1.1, or strange HTTP/1.1.
func protocols() []Behaviour {
	first := func(status string) func(*Turn) bool {
		return framed(func(t *Turn, r Reply) {
			_, rest, _ := strings.Cut(string(r.Bytes()), "\r\n")
			t.Say(status + "\r\n" + rest)
		})
	}
	return []Behaviour{
		{Name: "HTTP/0.9", Answer: framed(func(t *Turn, r Reply) { t.Say(string(r.Body)) })},
		{Name: "HTTP/0.9, secret", Answer: says("{\"access_token\":\"s3cret\"}\n")},
		{Name: "HTTP/1.0", Answer: first("HTTP/1.0 200 OK")},
		{Name: "HTTP/1.0 without a length", Answer: framed(func(t *Turn, r Reply) {
			_, rest, _ := strings.Cut(string(r.head()), "\r\n")
			t.Say("HTTP/1.0 200 OK\r\n" + rest + string(r.Body))
		})},
		{Name: "HTTP/2 frames", Answer: says("\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64\x00\x04\x00\x10\x00\x00\x00\x06\x00\x10\x01\x40")},
		{Name: "HTTP/2 in the status line", Answer: first("HTTP/2.0 200 OK")},
		{Name: "HTTP/3.7 in the status line", Answer: first("HTTP/3.7 200 OK")},
		{Name: "http in small letters", Answer: first("http/1.1 200 OK")},
		{Name: "another protocol", Answer: says("SSH-2.0-OpenSSH_9.2 s3cret\r\n")},
		{Name: "a blank line first", Answer: first("\r\nHTTP/1.1 200 OK")},
		{Name: "an upgrade nobody asked for", Answer: func(t *Turn) bool {
			t.Say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n")
			t.Hold()
			return false
		}},
		{Name: "interim answers", Answer: framed(func(t *Turn, r Reply) {
			t.Say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + string(r.Bytes()))
		})},
		{Name: "interim answers without an end", Answer: framed(func(t *Turn, r Reply) {
			t.Until(strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n", 100))
		})},
		{Name: "an interim answer and the end", Answer: says("HTTP/1.1 100 Continue\r\n\r\n")},
		{Name: "no reason phrase", Answer: first("HTTP/1.1 200")},
		{Name: "a reason phrase in invalid UTF-8", Answer: first("HTTP/1.1 200 \xff")},
		{Name: "a status of two digits", Answer: first("HTTP/1.1 20 OK")},
		{Name: "a status of four digits", Answer: first("HTTP/1.1 2000 OK")},
		{Name: "a status of five digits", Answer: first("HTTP/1.1 99999 OK")},
		{Name: "a status in words", Answer: first("HTTP/1.1 two OK")},
		{Name: "a status below zero", Answer: first("HTTP/1.1 -20 OK")},
		{Name: "status 000", Answer: first("HTTP/1.1 000 OK")},
		{Name: "status 999", Answer: first("HTTP/1.1 999 OK")},
	}
}

// statuses are answers with a status that is not the wanted one, in strange company.
func statuses() []Behaviour {
	far := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).Format("Mon, 02 Jan 2006 15:04:05 GMT")
	return []Behaviour{
		{Name: "204 with a body", Answer: says("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n{}")},
		{Name: "304", Answer: answers(304, "")},
		{Name: "401 with a strange challenge", Answer: answers(401, "", `WWW-Authenticate: Basic realm="\xff", Digest nonce=, ,,Bearer`)},
		{Name: "407", Answer: answers(407, "", `Proxy-Authenticate: Basic realm="s3cret"`)},
		{Name: "429 that asks to come before now", Answer: answers(429, "", "Retry-After: -5")},
		{Name: "429 that asks to come in 10^18 s", Answer: answers(429, "", "Retry-After: 1000000000000000000")},
		{Name: "429 that asks to come in 10^30 s", Answer: answers(429, "", "Retry-After: 1000000000000000000000000000000")},
		{Name: "429 that asks to come in the year 9999", Answer: answers(429, "", "Retry-After: "+far)},
		{Name: "429 that asks to come at once, for ever", Answer: answers(429, "", "Retry-After: 0")},
		{Name: "503 that asks to come in words", Answer: answers(503, "", "Retry-After: soon")},
		{Name: "503 that asks to come in the year 9999", Answer: answers(503, "", "Retry-After: "+far)},
		{Name: "500 with a page", Answer: answers(500, "<html><script>alert(1)</script></html>", "Content-Type: text/html")},
	}
}

// redirects lead somewhere. Nobody may go there.
func redirects() []Behaviour {
	elsewhere := func(status int) func(*Turn) bool {
		return func(t *Turn) bool {
			t.Good()
			t.Send(Reply{Status: status, Header: []string{"Location: http://" + t.server.stranger + "/ags/refresh"}})
			return true
		}
	}
	return []Behaviour{
		{Name: "a redirect to itself", Answer: func(t *Turn) bool {
			t.Good()
			t.Send(Reply{Status: 307, Header: []string{"Location: " + t.Request.URL.Path}})
			return true
		}},
		{Name: "302 to another host", Answer: elsewhere(302)},
		{Name: "307 to another host", Answer: elsewhere(307)},
		{Name: "308 to another host", Answer: elsewhere(308)},
		{Name: "a redirect to a file", Answer: answers(302, "", "Location: file:///etc/passwd")},
		{Name: "a redirect to nowhere", Answer: answers(302, "")},
		{Name: "300 without accounts", Answer: answers(300, "{}")},
	}
}
