package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"sync"
)

// MinSecret is the length in bytes from which on a secret is searched for by its value. A shorter one would tear holes
// into harmless text; it is redacted by the name of its place alone.
const MinSecret = 4

// Mentions tells whether a text holds a secret: unchanged, escaped for URLs, JSON or HTML, in hexadecimal, or in base64
// or base64url at any alignment. Of a JWS, the payload alone is a mention too. Secrets shorter than MinSecret are never
// found.
func Mentions(text, secret string) bool { return Read(text).Mentions(secret) }

// Reading is a text whose escapes have been read once, to look for many secrets in it. Many may do so at the same time.
type Reading struct{ views []view }

// Read reads the escapes of a text.
func Read(text string) Reading { return Reading{views(text)} }

// Mentions tells whether the text holds a secret, as the function of that name does.
func (r Reading) Mentions(secret string) bool {
	if len(secret) < MinSecret {
		return false
	}
	forms := keptForms(secret)
	for _, v := range r.views {
		for _, f := range forms {
			if strings.Contains(v.text, f) {
				return true
			}
		}
	}
	return false
}

// maxHex is the length in bytes up to which secrets are looked for in hexadecimal: keys and passwords are that short,
// tokens are not.
const maxHex = 128

// shortForms keeps the forms of short secrets: the keys and passwords of a run are looked for in every answer. It is
// bounded, since a run may well make up thousands.
var shortForms struct {
	sync.RWMutex
	of map[string][]string
}

const maxShortForms = 500

// keptForms is formsOf, where it can from what was made before. Nobody changes what it gives.
func keptForms(secret string) []string {
	if len(secret) > maxHex {
		return formsOf(secret)
	}
	shortForms.RLock()
	forms, known := shortForms.of[secret]
	shortForms.RUnlock()
	if known {
		return forms
	}
	forms = formsOf(secret)
	shortForms.Lock()
	defer shortForms.Unlock()
	if len(shortForms.of) >= maxShortForms || shortForms.of == nil {
		shortForms.of = map[string][]string{}
	}
	shortForms.of[strings.Clone(secret)] = forms
	return forms
}

// formsOf lists the texts that give a secret away once the escapes around it are read.
func formsOf(secret string) []string {
	forms := append(make([]string, 0, mostForms), secret)
	if strings.IndexByte(secret, ' ') >= 0 {
		forms = append(forms, strings.ReplaceAll(secret, " ", "+")) // in a query
	}
	if len(secret) <= maxHex {
		lower := hex.EncodeToString([]byte(secret))
		forms = append(forms, lower, strings.ToUpper(lower))
	}
	forms = appendBase64Cores(forms, secret)
	if payload := payloadSegment(secret); payload != "" {
		forms = append(forms, payload)
	}
	return forms
}

// mostForms are the secret, its form in a query, two in hexadecimal, six in base64 and the payload.
const mostForms = 11

// appendBase64Cores adds the parts of base64 encodings that are the same whatever stands around the secret, for each of
// the three alignments, and in base64url (RFC 4648 section 5) where that differs.
func appendBase64Cores(forms []string, secret string) []string {
	shifted := append([]byte{0, 0}, secret...)
	room := make([]byte, base64.RawStdEncoding.EncodedLen(len(shifted)))
	for shift := range 3 {
		from, to := (8*shift+5)/6, 8*(shift+len(secret))/6
		if to-from < 4 {
			continue
		}
		base64.RawStdEncoding.Encode(room, shifted[2-shift:])
		core := room[from:to]
		forms = append(forms, string(core))
		if bytes.ContainsAny(core, "+/") {
			base64.RawURLEncoding.Encode(room, shifted[2-shift:])
			forms = append(forms, string(core))
		}
	}
	return forms
}

func payloadSegment(secret string) string {
	segments := strings.Split(secret, ".")
	if len(segments) != 3 || len(segments[1]) < 16 {
		return ""
	}
	return segments[1]
}

// finder finds many secrets in one pass over a text. Its zero value is empty.
type finder struct {
	forms []form
	// windows leads from four bytes of a form to the forms that have them there; present is a coarse copy that answers
	// most questions.
	windows map[uint32][]int32
	present [1 << 10]uint64
}

type form struct {
	text   string
	at     int // of the window
	secret string
}

func (f *finder) add(secret string) {
	if f.windows == nil {
		f.windows = make(map[uint32][]int32)
	}
	for _, text := range formsOf(secret) {
		// Many tokens begin alike; the window is put where the fewest others have theirs.
		best, crowd := 0, -1
		for _, at := range []int{(len(text) - 4) / 2, len(text) - 4, 0, (len(text) - 4) * 3 / 4} {
			if n := len(f.windows[window(text, at)]); crowd < 0 || n < crowd {
				best, crowd = at, n
			}
		}
		w := window(text, best)
		f.windows[w] = append(f.windows[w], int32(len(f.forms)))
		f.present[mix(w)>>6] |= 1 << (mix(w) & 63)
		f.forms = append(f.forms, form{text, best, secret})
	}
}

// find reports each stretch of a text that is a form of a secret.
func (f *finder) find(text string, found func(start, end int, secret string)) {
	if len(f.forms) == 0 {
		return
	}
	for i := 0; i+4 <= len(text); i++ {
		w := window(text, i)
		if f.present[mix(w)>>6]&(1<<(mix(w)&63)) == 0 {
			continue
		}
		for _, n := range f.windows[w] {
			form := &f.forms[n]
			if start := i - form.at; start >= 0 && strings.HasPrefix(text[start:], form.text) {
				found(start, start+len(form.text), form.secret)
			}
		}
	}
}

func window(s string, at int) uint32 {
	return uint32(s[at]) | uint32(s[at+1])<<8 | uint32(s[at+2])<<16 | uint32(s[at+3])<<24
}

func mix(w uint32) uint32 { return w * 2654435761 >> 16 }
