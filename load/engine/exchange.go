package engine

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"agstest/internal/redact"
	"agstest/internal/wire"
	"agstest/load/hit"
	"agstest/load/tally"
	"agstest/reports"
)

// Maxima of an exchange in a report, in bytes as shown.
const (
	shownBody    = 2 << 10
	shownHeaders = 4 << 10
	shownCurl    = 8 << 10
	shownTrace   = 200
)

// keeping sets the names of kept hits, and how their exchanges are shown.
func (q *Question) keeping() tally.Keeping {
	k := tally.Keeping{Seed: q.Asked.Plan.Seed, Shard: q.Asked.Shard, Length: q.Length, Show: q.show()}
	if q.Names != nil {
		k.Name = q.Names.ClientName
	}
	return k
}

// show prepares exchanges for a report. A redactor of its own redacts each of them, so that memory does not grow with
// them; all redactors have one key, so that the same secret has the same mark in all exchanges.
func (q *Question) show() func(*tally.Exchange) *reports.Exchange {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return func(x *tally.Exchange) *reports.Exchange {
		e := exchangeOf(exchangeOfWire(q.Target, x).Record(redact.New(key)), x)
		if q.Secrets != nil {
			redact.Texts(e, q.Secrets.Text)
		}
		if !q.ShowIDs {
			var ids []string
			if q.Names != nil && x.Who > 0 {
				ids = q.Names.ClientIDs(x.Who)
			}
			redact.IDs(e, ids)
		}
		bound(e)
		return e
	}
}

// exchangeOfWire is a kept exchange as the conformance side knows them.
func exchangeOfWire(target wire.Target, x *tally.Exchange) *wire.Exchange {
	headers := func(fields []hit.HeaderField) http.Header {
		h := make(http.Header, len(fields))
		for _, f := range fields {
			h[f.Name] = append(h[f.Name], f.Value)
		}
		return h
	}
	var zero time.Time
	return &wire.Exchange{
		Call: wire.Call{Operation: x.Operation, Method: x.Method, Path: x.Path, Header: headers(x.Header), Body: x.Body,
			Proxy: target.Proxy},
		URL: strings.TrimSuffix(target.URL,
			"/") + x.Path, Status: x.Status, Header: headers(x.AnswerHeader), Body: x.AnswerBody,
		Sent: zero, Received: zero.Add(x.Service), Resent: x.Resent, Err: x.Err,
	}
}

func exchangeOf(r wire.Record, x *tally.Exchange) *reports.Exchange {
	e := &reports.Exchange{
		Operation: r.Operation, Method: r.Method, URL: r.URL, RequestHeader: r.RequestHeader, RequestBody: r.RequestBody,
		Status:         r.Status,
		ResponseHeader: r.ResponseHeader, ResponseBody: r.ResponseBody, Nanoseconds: r.Nanoseconds, Error: r.Error,
		Curl: r.Curl, Resent: r.Resent,
	}
	if x.BodySize > len(x.Body) {
		e.RequestBody, e.Curl = leftOut(x.BodySize, false), ""
	}
	if x.AnswerSize > len(x.AnswerBody) {
		e.ResponseBody = leftOut(x.AnswerSize, x.Truncated)
	}
	return e
}

// leftOut stands for a body that is too long to be kept.
func leftOut(size int, more bool) string {
	if more {
		return fmt.Sprintf("[a body of more than %d bytes, which is not kept]", size)
	}
	return fmt.Sprintf("[a body of %d bytes, which is not kept]", size)
}

// bound cuts an exchange to the maxima. The secrets must be out of it already.
func bound(e *reports.Exchange) {
	for _, body := range []*string{&e.RequestBody, &e.ResponseBody} {
		if len(*body) > shownBody {
			*body = upTo(*body, shownBody) + "\n[cut here]"
		}
	}
	for _, header := range []*[][2]string{&e.RequestHeader, &e.ResponseHeader} {
		size := 0
		for i, field := range *header {
			if size += len(field[0]) + len(field[1]); size > shownHeaders {
				*header = append((*header)[:i:i], [2]string{"…", fmt.Sprintf("%d more fields", len(*header)-i)})
				break
			}
		}
	}
	if len(e.Curl) > shownCurl {
		e.Curl = ""
	}
}

func upTo(text string, size int) string {
	for size > 0 && !utf8.RuneStart(text[size]) {
		size--
	}
	return text[:size]
}

// traceBack returns the trace that an answer names: traceresponse (W3C Trace Context level 2), or traceparent if a
// service gives that back.
func traceBack(header hit.Header) string {
	if header == nil {
		return ""
	}
	for _, name := range []string{"traceresponse", "traceparent"} {
		if value := header.Get(name); value != "" {
			return strings.ToValidUTF8(value[:min(len(value), shownTrace)], "\uFFFD")
		}
	}
	return ""
}
