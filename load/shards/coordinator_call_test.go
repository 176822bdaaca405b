package shards

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
)

// TestUnreachedShardsAreTriedAgain: an engine's errors are of the kind Setup, and those of a connection do not end a
// run.
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

// TestALostShardIsNotSaidToBeUnreachableToo: a kubelet's words about a port of a pod that has ended are long and
// explain nothing.
func TestALostShardIsNotSaidToBeUnreachableToo(t *testing.T) {
	r := &conductor{view: newView(1)}
	broke := plain(failure.Setupf("the connection to a broke: connection refused"))
	for _, test := range []struct {
		sight Sight
		says  string
	}{
		{Sight{State: Failed, Reason: "its process ended with exit code 137"}, "it failed; its process ended with exit code 137"},
		{Sight{State: Unsure, Reason: "the node b does not answer"}, "its node does not answer any more; the node b does not answer"},
		{Sight{State: Running}, "the connection to a broke: connection refused"},
	} {
		r.view.sights[0].Sight = test.sight
		require.Equal(t, test.says, r.whyLost(&shard{}, broke))
	}
	r.view.sights[0].Sight = Sight{State: Failed, Reason: "it was killed"}
	require.Equal(t, "it failed; it was killed; the disk is full", r.whyLost(&shard{}, errors.New("the disk is full")))
}
