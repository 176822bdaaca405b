package transport

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
)

func TestWorkersWithinTheOpenFiles(t *testing.T) {
	for _, test := range []struct{ files, asked, want int }{
		{20_000, 0, 19_744}, {1 << 20, 0, 20_000}, {1024, 0, 768}, {256, 0, 116}, {64, 0, 20}, {10, 0, 1},
		{64, 40, 40}, {1 << 20, 50_000, 50_000},
	} {
		got, err := WorkersWithin(test.files, test.asked)
		require.NoError(t, err)
		assert.Equal(t, test.want, got, "%d files, %d asked for", test.files, test.asked)
	}
	_, err := WorkersWithin(64, 41)
	require.EqualError(t, err, "41 workers may each need a connection of their own, and this process may have no more than 64 files open; raise the limit (ulimit -n 65), or give fewer --workers")
	assert.Equal(t, failure.Usage, failure.KindOf(err))
}
