package talk

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
)

// TestOperatorTokenSignature: HS256 has 32 bytes and depends on the secret, none has no signature.
func TestOperatorTokenSignature(t *testing.T) {
	token := OperatorToken{Algorithm: "HS256", Key: environment.SigningKey{ID: "k", Algorithm: "HS256", Secret: []byte("a secret of at least thirty-two bytes!")}, Claims: []Member{{Name: "typ", Value: JSON("GetSessionTokenAuthN")}}}
	sign := func() string {
		signed, err := token.Sign()
		require.NoError(t, err)
		return signed
	}
	signed := sign()
	parts := strings.Split(signed, ".")
	require.Len(t, parts, 3)
	assert.Len(t, parts[2], 43)
	assert.Equal(t, signed, sign(), "the same claims give the same token")
	token.Key.Secret = append(token.Key.Secret, 'x')
	assert.NotEqual(t, parts[2], strings.Split(sign(), ".")[2])
	token.Algorithm = "none"
	assert.True(t, strings.HasSuffix(sign(), "."))
}
