package redact

import (
	"fmt"
	"unicode/utf8"
)

// maxShown is how many bytes of a body are shown.
const maxShown = 16 << 10

// Body returns a body without secrets, in valid UTF-8 and cut at 16 kB. In the place of a token it shows the token's
// content, as far as that is harmless.
func (r *Redactor) Body(body []byte) string {
	whole := string(body)
	shown := valid(r.render(whole, r.spans(whole, nil), true))
	if len(shown) <= maxShown {
		return shown
	}
	end := maxShown // the text was redacted before the cut: half a secret would not be recognised
	for end > 0 && !utf8.RuneStart(shown[end]) {
		end--
	}
	return shown[:end] + fmt.Sprintf("\n[cut here: %d bytes in all]", len(body))
}
