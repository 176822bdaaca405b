package wire

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOnLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost.": true, "ags.localhost": true, "127.0.0.1": true, "127.9.8.7": true, "::1": true, "::ffff:127.0.0.1": true,
		"": false, "0.0.0.0": false, "::": false, "10.0.0.7": false, "localhost.example": false, "127.0.0.1.example": false, "notlocalhost": false, "[::1]": false,
	} {
		assert.Equal(t, want, OnLoopback(host), host)
	}
}
