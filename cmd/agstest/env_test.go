package main

import (
	"regexp"
	"strings"
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

func TestStepsAreListedByTheirWords(t *testing.T) {
	code, all, _ := call(t, nil, "steps")
	assert.Zero(t, code)
	code, some, _ := call(t, nil, "steps", "KEEPS", "until", "session")
	assert.Zero(t, code)
	assert.Contains(t, all, "\n\n"+some, "what is listed is a part of all")
	assert.Regexp(t, regexp.MustCompile(`^When the client keeps refreshing until the session must end\n    [^\n]+\n    When [^\n]+\n$`), some)
	assert.Greater(t, strings.Count(all, "\n"), 100)
}
