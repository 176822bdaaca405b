package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAddressesOfExamplesAreKnown(t *testing.T) {
	for address, want := range map[string]bool{
		"https://api.staging.example.com": true, "https://Example.org:8443/x": true, "https://ags.example": true,
		"https://counterexample.com": false, "http://127.0.0.1:8080": false, "https://example.tv": false,
	} {
		assert.Equal(t, want, forDocuments(address), address)
	}
}
