package wire

import (
	"errors"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestRefusalsOfSOCKS: the texts are those of Go 1.26 for the refusals of RFC 1928 and RFC 1929.
func TestRefusalsOfSOCKS(t *testing.T) {
	for text, want := range map[string]string{
		"no acceptable authentication methods":            "the proxy wants a user name and password, or other ones; put them into the address of the proxy",
		"username/password authentication failed":         "the proxy wants a user name and password, or other ones; put them into the address of the proxy",
		"unknown error connection not allowed by ruleset": "the proxy does not allow a connection to this host and port (SOCKS); ask who runs it",
		"unknown error host unreachable":                  "the proxy could not connect to the service (SOCKS: host unreachable); check the host and port in url, and that the service is running",
		"unexpected protocol version 72":                  "the proxy cannot be used: unexpected protocol version 72",
	} {
		assert.Equal(t, want, Explain(&net.OpError{Op: "socks connect", Net: "tcp", Err: errors.New(text)}))
	}
}
