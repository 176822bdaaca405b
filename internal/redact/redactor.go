// Package redact keeps secrets out of everything that leaves the process. Everything that is written must pass it
// first.
//
// Start with [Redactor]. It knows secrets by value, in every encoding that they come in, by their names in headers,
// queries, forms and JSON, and by the form of tokens. Add tells it values; LearnHeader and LearnText take them from
// requests and answers. Text and Shown clean a text of others, Header and Body the parts of an exchange, and Curl
// writes the command that sends a request again. Values, for texts of our own, takes out nothing but known values.
//
// [Texts] cleans every text of a run at once, and [IDs] masks the ids of accounts, devices and users in it, which are
// personal data and no secrets. [Mentions] tells whether a text gives a secret away, for judging an answer.
//
// internal/environment decides what is secret in an environment file; internal/disarm handles text that a terminal or a
// build agent would obey.
package redact

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"
)

// learnable tells whether a value that was seen under a secret's name is worth searching for everywhere else: a word
// that a test sent as a wrong password would tear holes into harmless text.
func learnable(value string) bool {
	return len(value) >= 20 || len(value) >= 8 && strings.ContainsAny(value, "0123456789")
}

// Redactor takes secrets out of everything that leaves the process. It knows them by their names, by the form of
// tokens, and by value: those it was given and those it saw in exchanges, in any escaping or base64. In their place it
// leaves a mark such as «access token 3f2a9c», the same for the same secret during a run, so that one can see where it
// comes back. The zero value works; many goroutines may use it at once.
type Redactor struct {
	mutex  sync.RWMutex // guards the fields below
	known  finder
	labels map[string]string // the labels of secrets
	key    []byte            // of the marks, so that they cannot be used to guess a short secret
}

// New makes a redactor whose marks depend on a key, so that those of several redactors can be compared. Nil is like the
// zero value: a random key.
func New(key []byte) *Redactor { return &Redactor{key: key} }

// Add makes values known as secrets. Those shorter than MinSecret are redacted only by the name of their place.
func (r *Redactor) Add(secrets ...string) {
	for _, s := range secrets {
		r.learn(s, "secret")
	}
}

func (r *Redactor) learn(secret, label string) {
	if len(secret) < MinSecret || isMark(secret) {
		return
	}
	r.mutex.RLock()
	before, known := r.labels[secret]
	r.mutex.RUnlock()
	if known && (before == label || !vague(before) || vague(label)) {
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.labels == nil {
		r.labels = make(map[string]string)
	}
	before, known = r.labels[secret]
	if !known {
		r.known.add(secret)
	}
	if !known || vague(before) {
		r.labels[secret] = label
	}
}

// LearnText learns every secret that a text names, such as a body or an address, for other texts that repeat it.
func (r *Redactor) LearnText(text string) { r.learnFrom(nameSpans(text)) }

// learnFrom makes the values of spans known.
func (r *Redactor) learnFrom(spans []span) {
	for _, s := range spans {
		if learnable(s.value) {
			r.learn(s.value, s.label)
		}
	}
}

// Text is a text without its secrets.
func (r *Redactor) Text(text string) string {
	return r.render(text, r.spans(text, nil), false)
}

// Shown is a text without its secrets, in valid UTF-8.
func (r *Redactor) Shown(text string) string { return valid(r.Text(text)) }

func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// spans are all stretches of a text that must go: those found by name and those found by value.
func (r *Redactor) spans(text string, named []span) []span {
	return r.valueSpans(text, append(named, nameSpans(text)...))
}

// valueSpans adds those found by value.
func (r *Redactor) valueSpans(text string, spans []span) []span {
	r.mutex.RLock()
	if len(r.known.forms) > 0 {
		for _, v := range views(text) {
			r.known.find(v.text, func(start, end int, secret string) {
				from, to := v.origin(start, end)
				spans = append(spans, span{from, to, "secret", secret})
			})
		}
	}
	r.mutex.RUnlock()
	return merge(spans)
}

// render puts marks in the place of spans; long marks show the content of a token.
func (r *Redactor) render(text string, spans []span, long bool) string {
	if len(spans) == 0 {
		return text
	}
	var b strings.Builder
	at := 0
	for _, s := range spans {
		b.WriteString(text[at:s.start])
		b.WriteString(r.mark(s, long))
		at = s.end
	}
	b.WriteString(text[at:])
	return b.String()
}

func (r *Redactor) mark(s span, long bool) string {
	about := ""
	if long {
		about = r.about(s.value)
	}
	return "«" + r.label(s) + " " + r.hash(s.value) + about + "»"
}

// label calls a token by its own claim typ, and other secrets by the best name they were seen under.
func (r *Redactor) label(s span) string {
	if label := tokenLabel(s.value); label != "" {
		return label
	}
	if !vague(s.label) {
		return s.label
	}
	r.mutex.RLock()
	defer r.mutex.RUnlock()
	if known := r.labels[s.value]; known != "" {
		return known
	}
	return s.label
}

func (r *Redactor) hash(value string) string {
	r.mutex.RLock()
	key := r.key
	r.mutex.RUnlock()
	if key == nil {
		r.mutex.Lock()
		if r.key == nil {
			r.key = make([]byte, 32)
			rand.Read(r.key) // never fails
		}
		key = r.key
		r.mutex.Unlock()
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil)[:3])
}

// isMark tells whether a text is nothing but a mark.
func isMark(text string) bool {
	if !strings.HasPrefix(text, "«") {
		return false
	}
	at := marks.FindStringIndex(text)
	return at != nil && at[0] == 0 && at[1] == len(text)
}

// holdsSecret tells whether a text would be changed.
func (r *Redactor) holdsSecret(text string) bool { return len(r.spans(text, nil)) > 0 }

// Values is a text without the values that are known, and nothing else: for texts of our own, where a name gives no
// secret away. In their place stands always the same, so that what several processes say of one question stays equal.
func (r *Redactor) Values(text string) string {
	r.mutex.RLock()
	known := len(r.known.forms) > 0
	r.mutex.RUnlock()
	if !known {
		return text
	}
	var b strings.Builder
	at := 0
	for _, s := range r.valueSpans(text, nil) {
		b.WriteString(text[at:s.start])
		b.WriteString("[secret]")
		at = s.end
	}
	b.WriteString(text[at:])
	return b.String()
}
