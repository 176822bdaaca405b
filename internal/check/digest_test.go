package check

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestHexRunsAreTheLongOnes(t *testing.T) {
	run := regexp.MustCompile("[0-9a-fA-F]{32,}")
	random := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		var text strings.Builder
		for range random.IntN(8) {
			for range random.IntN(100) {
				text.WriteByte("0123456789abcdefABCDEF"[random.IntN(22)])
			}
			for range random.IntN(3) {
				text.WriteByte("g/@G`: "[random.IntN(7)])
			}
		}
		want := ""
		for _, found := range run.FindAllString(text.String(), -1) {
			want += strings.ToLower(found) + "\n"
		}
		if !assert.Equal(t, want, hexRuns(text.String()), text.String()) {
			return
		}
	}
}

func TestDigestsAreFoundInEachWriting(t *testing.T) {
	for _, d := range digests("correct-horse-battery") {
		half := len(d.hex) / 2
		for _, written := range []string{d.hex, strings.ToUpper(d.hex), d.hex[:half] + strings.ToUpper(d.hex[half:]), d.base64, d.base64url} {
			assert.True(t, d.in("before "+written+" after"), "%s as %s", d.name, written)
			assert.True(t, d.in("0"+written+"0"), "%s as %s", d.name, written)
			assert.False(t, d.in("before "+written[1:]+" after"), "%s as %s", d.name, written)
			assert.False(t, d.in("before "+written[:len(written)-1]+" after"), "%s as %s", d.name, written)
		}
	}
}
