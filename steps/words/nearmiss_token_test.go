package words

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestOtherLastCharacterIsAnotherSignature: also to readers that pass over the bits of base64 that belong to no byte.
func TestOtherLastCharacterIsAnotherSignature(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		signature := rapid.SliceOfN(rapid.Byte(), sha256.Size, sha256.Size).Draw(t, "HS256")
		if rapid.Bool().Draw(t, "long") {
			signature = rapid.SliceOfN(rapid.Byte(), sha512.Size, sha512.Size).Draw(t, "HS512")
		}
		token := "eyJ.eyJ." + base64.RawURLEncoding.EncodeToString(signature)
		for _, m := range nearMisses(token, true, true) {
			if m.how == "with another last character" {
				require.Equal(t, token[:len(token)-1], m.text[:len(token)-1])
				got, err := base64.RawURLEncoding.DecodeString(m.text[strings.LastIndexByte(m.text, '.')+1:])
				require.NoError(t, err)
				assert.NotEqual(t, signature, got)
				return
			}
		}
		t.Fatal("there is no such near miss")
	})
}
