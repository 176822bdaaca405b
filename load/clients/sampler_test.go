package clients

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/wire"
)

// What a full judgement compares is the answer before as it came, however many clients there are.
func TestAKeptPairComesBackAsItWas(t *testing.T) {
	for name, clients := range map[string]int{"few": 3, "many": fewClients + 1} {
		t.Run(name, func(t *testing.T) {
			c, answer := signedInCrowd(t, clients)
			assert.Equal(t, clients <= fewClients, c.seal.plain)
			for n := range uint32(3) {
				x := &wire.Exchange{Call: wire.Call{Operation: ags.Refresh}, Status: http.StatusOK, Body: answer(n, 70_000+int(n)), Received: time.Now()}
				pair, err := check.ReadPair(x)
				require.NoError(t, err)
				require.NotZero(t, pair.Issued)
				require.NotEmpty(t, pair.Refresh.JTI)
				want := *pair
				c.sampled.keep(n, pair, &c.seal)
				got := c.sampled.take(n, &c.seal)
				require.NotNil(t, got)
				assert.Equal(t, want, *got)
				assert.Nil(t, c.sampled.take(n, &c.seal), "it is given once")
			}
		})
	}
}
