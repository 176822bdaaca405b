package transport

import (
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/hostile"
	"agstest/internal/wire"
)

// hostileKinds are what the lean transport and that of net/http make of a behaviour: the kind of a missing answer, or
// "long" for one that was not read to its end. Where they differ, one of them is the stricter, or read less before it
// gave up. All others are whole.
var hostileKinds = map[string]struct{ lean, net string }{
	"never answers":                       {"timeout", "timeout"},
	"hangs after the headers":             {"timeout", "timeout"},
	"hangs in a chunk":                    {"timeout", "timeout"},
	"one byte of the body a second":       {"timeout", "timeout"},
	"one byte of the headers a second":    {"timeout", "timeout"},
	"answers that it goes on, and hangs":  {"timeout", "timeout"},
	"closes at once":                      {"reset", "reset"},
	"resets at once":                      {"reset", "reset"},
	"resets in the headers":               {"reset", "other"},
	"resets in the body":                  {"reset", "reset"},
	"cut in the headers":                  {"reset", "other"},
	"cut in the body":                     {"reset", "reset"},
	"cut in a chunk":                      {"reset", "reset"},
	"no last chunk":                       {"reset", "reset"},
	"a length above what comes":           {"reset", "reset"},
	"a length said twice":                 {"whole", "whole"},
	"two lengths":                         {"other", "other"},
	"two lengths in one line":             {"other", "other"},
	"a length that is no number":          {"other", "other"},
	"a length below zero":                 {"other", "other"},
	"a length with a sign":                {"other", "other"},
	"a length of 10^18":                   {"long", "reset"},
	"a length of 10^30":                   {"other", "other"},
	"an unknown transfer coding":          {"other", "other"},
	"chunked twice":                       {"other", "other"},
	"garbage for a chunk":                 {"other", "other"},
	"a chunk with a long size":            {"other", "other"},
	"a chunk of 2^63-1 bytes":             {"other", "reset"},
	"a chunk with a size below zero":      {"other", "other"},
	"a chunk longer than its size":        {"other", "other"},
	"chunks without an end":               {"long", "long"},
	"deflate without its frame":           {"shape", "shape"},
	"gzip bomb":                           {"long", "long"},
	"gzip of nothing, endless":            {"long", "long"},
	"gzip that is none":                   {"shape", "shape"},
	"gzip, cut":                           {"shape", "shape"},
	"gzip, spoilt":                        {"shape", "shape"},
	"gzip in gzip":                        {"shape", "shape"},
	"a coding that is unknown":            {"shape", "shape"},
	"100 MB":                              {"long", "long"},
	"100 MB of right JSON":                {"long", "long"},
	"100 MB in chunks":                    {"long", "long"},
	"a body without an end":               {"long", "long"},
	"reads the request and nothing else":  {"timeout", "timeout"},
	"a megabyte of header":                {"other", "other"},
	"thousands of headers":                {"other", "other"},
	"headers without an end":              {"other", "other"},
	"a header without a colon":            {"other", "other"},
	"a header without a name":             {"other", "other"},
	"a header with NUL":                   {"other", "other"},
	"a header with control characters":    {"other", "other"},
	"lines that end in a line feed alone": {"other", "whole"},
	"HTTP/0.9":                            {"reset", "other"},
	"HTTP/0.9, secret":                    {"other", "other"},
	"HTTP/2 frames":                       {"other", "other"},
	"HTTP/2 in the status line":           {"other", "other"},
	"HTTP/3.7 in the status line":         {"other", "other"},
	"http in small letters":               {"other", "other"},
	"another protocol":                    {"other", "other"},
	"a blank line first":                  {"other", "other"},
	"an upgrade nobody asked for":         {"other", "other"},
	"interim answers without an end":      {"other", "other"},
	"an interim answer and the end":       {"reset", "reset"},
	"a status of two digits":              {"other", "other"},
	"a status of four digits":             {"other", "other"},
	"a status of five digits":             {"other", "other"},
	"a status in words":                   {"other", "other"},
	"a status below zero":                 {"other", "other"},
	"status 000":                          {"other", "other"},
}

// TestBothTransportsBearHostileServices: neither hangs, and what comes of a behaviour is the same over both as far as
// it can be.
func TestBothTransportsBearHostileServices(t *testing.T) {
	t.Parallel()
	service := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, "{}")
	})
	for _, b := range hostile.Behaviours() {
		if !b.Plain() {
			continue
		}
		t.Run(b.Name, func(t *testing.T) {
			timeout := 20 * time.Second
			if b.Endless {
				timeout = 300 * time.Millisecond
				t.Parallel()
			}
			want, special := hostileKinds[b.Name]
			if !special {
				want.lean, want.net = "whole", "whole"
			}
			var bodies []string
			for _, c := range []struct{ over, kind string }{{"lean", want.lean}, {"net/http", want.net}} {
				server, err := hostile.Start(b, service, nil)
				require.NoError(t, err)
				t.Cleanup(server.Close)
				target := wire.Target{URL: server.URL}
				if c.over == "net/http" {
					via, err := url.Parse(server.URL)
					require.NoError(t, err)
					target = wire.Target{URL: "http://ags.invalid", Proxy: via}
				}
				answer, _ := ask(connectTo(t, target), timeout, post)
				got := "whole"
				switch {
				case answer.Err != nil:
					got = WhyNone(answer.Err)
					why := wire.Explain(answer.Err)
					assert.NotEmpty(t, why)
					assert.NotContains(t, why, "s3cret")
				case answer.Truncated:
					got = "long"
				default:
					assert.GreaterOrEqual(t, answer.Status, 200)
				}
				assert.Equal(t, c.kind, got, "%s: %v", c.over, answer.Err)
				assert.LessOrEqual(t, len(answer.Body), maxBody+1)
				bodies = append(bodies, string(answer.Body))
			}
			if want.lean == "whole" && want.net == "whole" {
				assert.Equal(t, bodies[0], bodies[1])
			}
		})
	}
}
