package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestHowAJobEnded: no exit code is told of a job that has none.
func TestHowAJobEnded(t *testing.T) {
	assert.Equal(t, "exit code 0", howEnded(0))
	assert.Equal(t, "exit code 143", howEnded(143))
	assert.Equal(t, "ended by a signal", howEnded(-1))
}
