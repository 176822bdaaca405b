package ports

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFreeAddressesDifferAndCanBeListenedOn(t *testing.T) {
	got := map[string]bool{}
	for range 20 {
		address := FreeAddress(t)
		assert.False(t, got[address])
		got[address] = true
		l, err := net.Listen("tcp", address)
		require.NoError(t, err)
		defer l.Close()
	}
}

func TestClosedAddressesRefuse(t *testing.T) {
	closed := Closed(t)
	_, err := net.Dial("tcp", closed)
	require.ErrorContains(t, err, "refused")
	t.Run("and nobody else gets them", func(t *testing.T) {
		if l, err := net.Listen("tcp", closed); err == nil {
			l.Close()
			t.Skip("this system cannot hold a port without listening")
		}
	})
}
