package check

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestGuess: tokens that count up are guessed however they are written; those that only begin with a moment are not.
func TestGuess(t *testing.T) {
	of := func(form string, values ...any) (tokens []string) {
		for _, v := range values {
			tokens = append(tokens, fmt.Sprintf(form, v))
		}
		return tokens
	}
	each := func(tokens []string, change func(string) string) (changed []string) {
		for _, token := range tokens {
			changed = append(changed, change(token))
		}
		return changed
	}
	counter := of("st-%08d-x", 198, 199, 201, 204)
	for name, c := range map[string]struct {
		tokens []string
		want   Outcome
	}{
		"a counter":                    {counter, Broken},
		"a counter that grows longer":  {of("s%d", 8, 9, 10, 11), Broken},
		"a counter that counts down":   {of("%d", 1003, 1002, 1001, 998), Broken},
		"a counter in hexadecimal":     {of("ab%06x", 0xfe, 0xff, 0x100, 0x101), Broken},
		"a counter in base64":          {each(counter, func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }), Broken},
		"a counter in URL-safe base64": {each(counter, func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }), Broken},
		"a counter as hexadecimal":     {each(counter, func(s string) string { return hex.EncodeToString([]byte(s)) }), Broken},
		"milliseconds":                 {of("%d", int64(1767225600123), int64(1767225600130), int64(1767225600139), int64(1767225600151)), Broken},
		"nanoseconds":                  {of("%d", int64(1767225600123000311), int64(1767225600130200512), int64(1767225600139100042), int64(1767225600151900713)), Soft},
		"an id of objects":             {of("65a1f0c2e4b0d1a2b3%s", "c4d5e1", "c4d5e2", "c4d5e3", "c4d5e4"), Broken},
		"four digits by chance":        {of("session-account-%s", "4711", "0815", "9020", "1234"), Soft},
		"32 letters by chance":         {[]string{"k3v9sX0qPz1LmN7bRt5Yw2Hc8Jd6GfAe", "Zq7Tn4Bx1Wc9Vm3Lk6Pj8Hg2Fd5Sa0Ry", "p0O9i8U7y6T5r4E3w2Q1a2S3d4F5g6H7", "M1n2B3v4C5x6Z7l8K9j0H1g2F3d4S5a6"}, Held},
		"random UUIDs": {[]string{"1f0c7a52-6d2b-4a7e-9d3c-0b8e5f6a7d21", "c4b1d9e8-0a3f-4c5d-8e7b-6a9f1d2c3b40",
			"7d6e5f4a-3b2c-4d1e-8f0a-9b8c7d6e5f41", "e2f3a4b5-c6d7-4e8f-9a0b-1c2d3e4f5a6b"}, Held},
		"UUIDs of the moment, by several threads": {[]string{"135aa848-ec80-11f1-bfdf-02fc00000001", "135b1942-ec80-11f1-9a02-02fc00000001",
			"135ce9ba-ec80-11f1-bfdf-02fc00000001", "135a0a28-ec80-11f1-8c11-02fc00000001"}, Soft},
		"a moment, then chance": {[]string{"1767225600123-9f8e7d6c5b4a3928", "1767225600124-1a2b3c4d5e6f7081", "1767225600125-0f1e2d3c4b5a6978", "1767225600126-a5b6c7d8e9f00112"}, Held},
	} {
		found, how := Guess("the tokens", c.tokens)
		assert.Equal(t, c.want, found, "%s: %s", name, how)
		assert.Equal(t, found == Held, how == "", name)
		for _, token := range c.tokens {
			assert.NotContains(t, how, token, name)
		}
	}
}
