//go:build linux

package gateways

import (
	"strings"
	"testing"
)

// TestANameThatAGatewayDoesNotKnow: the name of the host is what the sentence is about.
func TestANameThatAGatewayDoesNotKnow(t *testing.T) {
	t.Parallel()
	upstream, at := liveMock(t)
	g := Start(t, HAProxy, Config{Upstream: upstream, Strict: true})
	e := at(strings.Replace(g.SecureURL, "127.0.0.1", "localhost", 1), g.Authority.File)
	e.SNI = "elsewhere.example"
	nothingJudged(t, e, "what listens there knows no service of the name elsewhere.example (TLS: unrecognized name); check sni")
}
