package engine

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/load/hit"
)

// TestAHitCostsVegetaLittle: what Vegeta and net/http are given of a hit makes no memory of its own.
func TestAHitCostsVegetaLittle(t *testing.T) {
	request, err := http.NewRequest(http.MethodPost, hitURL, nil)
	require.NoError(t, err)
	assert.Empty(t, request.Host, "net/http would copy an address that names a host")
	a := new(attack)
	for _, status := range []int{http.StatusOK, http.StatusFound, http.StatusServiceUnavailable} {
		h := &hitState{answer: hit.Answer{Status: status}}
		assert.Equal(t, status, a.response(h, "", 0).StatusCode)
		assert.Zero(t, testing.AllocsPerRun(100, func() { a.response(h, "status", 10) }), status)
	}
	assert.Equal(t, "timeout", a.response(new(hitState), "timeout", 0).Status)
}
