package redact

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestHeaderLinesAreFoundAsAPatternFindsThem: header lines and schemes are found as patterns of the whole would find
// them.
func TestHeaderLinesAreFoundAsAPatternFindsThem(t *testing.T) {
	line := regexp.MustCompile(`(?i)\b(authorization|proxy-authorization|user-token|client-token|x-api-key|set-cookie|cookie)["']?[ \t]*:[ \t]*["']?([^\s"',;]{3,12} )?([^\s"',]{8,})`)
	scheme := regexp.MustCompile(`(?i)\b(bearer|basic)\s+([A-Za-z0-9._~+/=%-]{8,})`)
	parts := []string{"Authorization", "proxy-", "cookie", "Set-", "X-API-Key", "user-token", ":", ": ", `"`, " ", "\n", "_", "Bearer", "basic", "abcdefgh", "a1b2c3d4e5", "éé", ";", "Token ",
		"0123456789abcdefghijklmnop"}
	random := rand.New(rand.NewPCG(3, 4))
	for range 50000 {
		text := ""
		for range random.IntN(10) {
			text += parts[random.IntN(len(parts))]
		}
		var wanted, got []string
		for _, m := range line.FindAllStringSubmatchIndex(text, -1) {
			label, _ := secretLabel(text[m[2]:m[3]])
			wanted = append(wanted, fmt.Sprint(m[6], m[7], label))
		}
		for _, m := range scheme.FindAllStringSubmatchIndex(text, -1) {
			if value := text[m[4]:m[5]]; len(value) >= 20 || strings.ContainsAny(value, "0123456789.") {
				wanted = append(wanted, fmt.Sprint(m[4], m[5], "credentials"))
			}
		}
		headerLines(text, func(s span) {
			got = append(got, fmt.Sprint(s.start, s.end, s.label))
			assert.Equal(t, text[s.start:s.end], s.value)
		})
		assert.Equal(t, wanted, got, "%q", text)
	}
}
