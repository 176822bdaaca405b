package talk

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
)

// TestTampered: a tampered value differs where it says so and nowhere else.
func TestTampered(t *testing.T) {
	token := OperatorToken{Algorithm: "HS256", Key: environment.SigningKey{Secret: []byte("s")}, Claims: []Member{{Name: "deviceId", Value: JSON("PUB_989")}}}
	compact, err := token.Sign()
	require.NoError(t, err)
	good := strings.Split(compact, ".")
	payload := strings.Split(Tampered(strings.Join(good, "."), "payload"), ".")
	signature := strings.Split(Tampered(strings.Join(good, "."), "signature"), ".")
	assert.Equal(t, []bool{true, false, true}, []bool{payload[0] == good[0], payload[1] == good[1], payload[2] == good[2]})
	assert.Equal(t, []bool{true, true, false}, []bool{signature[0] == good[0], signature[1] == good[1], signature[2] == good[2]})
	assert.Len(t, signature[2], len(good[2]))
	bare, ok := Unsigned(strings.Join(good, "."))
	assert.True(t, ok)
	none := strings.Split(bare, ".")
	assert.Equal(t, good[1], none[1])
	assert.Empty(t, none[2])
}
