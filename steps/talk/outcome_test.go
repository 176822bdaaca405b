package talk

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWithoutTrace(t *testing.T) {
	e := &Expectations{}
	assert.Equal(e, "one\ntwo", "one\nthree", "the whole of it")
	require.Len(t, e.Failures, 1)
	assert.Equal(t, `the whole of it: expected "one\ntwo", got "one\nthree"`, e.Failures[0])
}

// TestExpectationsKeepTheirText: an assertion about an encoded address must not be taken for a format.
func TestExpectationsKeepTheirText(t *testing.T) {
	err := Checking("nothing odd", func(e *Expectations) { assert.Equal(e, "/a%2Fb%20c", "/x", "the path") })
	require.Error(t, err)
	assert.Contains(t, err.Error(), "/a%2Fb%20c")
	assert.NotContains(t, err.Error(), "MISSING")
	assert.NotContains(t, err.Error(), ".go:")
	stopped := Checking("a stop", func(e *Expectations) { require.True(e, false, "first"); require.True(e, false, "second") })
	assert.Contains(t, stopped.Error(), "first")
	assert.NotContains(t, stopped.Error(), "second")
}
