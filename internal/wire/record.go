package wire

import (
	"fmt"

	"agstest/internal/redact"
)

// Record is an exchange fit for a report: without secrets, valid UTF-8, bodies cut at 16 kB.
type Record struct {
	Operation, Method, URL string
	RequestHeader          [][2]string // sorted by name
	RequestBody            string
	Status                 int // 0: no answer
	ResponseHeader         [][2]string
	ResponseBody           string
	Nanoseconds            int64
	Error                  string
	Resent, Repeated       bool   // as of Exchange
	Curl                   string // reproduces the request; secrets are shell variables
}

// Record makes an exchange fit for a report. Every token and other secret in it becomes known to the redactor.
func (x *Exchange) Record(secrets *redact.Redactor) Record {
	secrets.LearnHeader(x.Call.Header)
	secrets.LearnHeader(x.Header)
	secrets.LearnText(x.URL)
	secrets.LearnText(string(x.Call.Body))
	secrets.LearnText(string(x.Body))
	record := Record{
		Operation:      x.Call.Operation,
		Method:         secrets.Shown(x.Call.Method),
		URL:            secrets.Shown(x.URL),
		RequestHeader:  secrets.Header(x.Call.Header),
		RequestBody:    secrets.Body(x.Call.Body),
		Status:         x.Status,
		ResponseHeader: secrets.Header(x.Header),
		ResponseBody:   secrets.Body(x.Body),
		Nanoseconds:    x.Duration().Nanoseconds(),
		Resent:         x.Resent,
		Repeated:       x.Repeated,
		Curl: secrets.Curl(redact.Request{Method: x.Call.Method, URL: x.URL, Header: x.Call.Header,
			Body: x.Call.Body, Proxy: x.Call.Proxy}),
	}
	if x.Truncated {
		record.ResponseBody += fmt.Sprintf("\n[the answer is longer than %d bytes; the rest was not read]", len(x.Body))
	}
	if x.Err != nil {
		record.Error = secrets.Shown(Explain(x.Err))
	}
	return record
}
