package shards

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
)

// TestUnreachedShardsAreTriedAgain: an engine's errors are of the kind Setup, and those of a connection do not end a run.
func TestUnreachedShardsAreTriedAgain(t *testing.T) { synctest.Test(t, triedAgain) }

func triedAgain(t *testing.T) {
	tries := 0
	require.NoError(t, new(conductor).insist(t.Context(), func() error {
		if tries++; tries < 2 {
			return plain(failure.Setupf("the connection to a broke: connection refused"))
		}
		return nil
	}))
	require.Equal(t, 2, tries)

	err := plain(failure.Setupf("connecting to a: %w", context.Canceled))
	require.EqualError(t, err, "connecting to a: context canceled")
	require.True(t, errors.Is(err, context.Canceled))
	require.False(t, errors.Is(err, context.DeadlineExceeded))
}
