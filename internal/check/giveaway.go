package check

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"agstest/internal/redact"
	"agstest/internal/strictjson"
)

// givesNothingAway judges ERR-14: no answer holds the key of the operator, the passwords of users or their digests.
// ERR-10 is for refusals that repeat secrets of the request.
func (j *judge) givesNothingAway() {
	const expected = "neither the operator's key nor a password, in the body, a header or a token"
	var told *answerTold
	for _, secret := range j.k.Guarded {
		if len(secret) < redact.MinSecret || j.x.Status >= 400 && j.wasSent(secret) {
			continue
		}
		if told == nil {
			told = j.allTold()
		}
		if !told.read.Mentions(secret) {
			continue
		}
		if place := j.placeOf(func(text string) bool { return redact.Mentions(text, secret) }); place != "" {
			j.add("ERR-14", Broken, expected, place+" gives one of them away")
			return
		}
	}
	for _, hashed := range []struct {
		what  string
		texts []string
	}{{"a password, without salt", j.k.Passwords}, {"a user name and the password", j.k.Credentials}} {
		for _, text := range hashed.texts {
			if told == nil {
				told = j.allTold()
			}
			for _, d := range digests(text) {
				if d.within(told.text, told.runs) {
					j.add("ERR-14", Broken, expected, cmp.Or(j.placeOf(d.in), "the answer")+" holds the "+d.name+" of "+
						hashed.what)
					return
				}
			}
		}
	}
	if told != nil {
		j.add("ERR-14", Held, expected, "none")
	}
}

// answerTold is everything that an answer tells, ready to look for many things in it.
type answerTold struct {
	text, runs string // see hexRuns
	read       redact.Reading
}

// allTold gathers what an answer tells: headers, body, texts without escapes, claims of tokens.
func (j *judge) allTold() *answerTold {
	text := j.toldText()
	return &answerTold{text, hexRuns(text), redact.Read(text)}
}

// usualHeader is room for the headers of an answer. Its texts, and the claims of its tokens, are about as long again as
// its body.
const usualHeader = 512

func (j *judge) toldText() string {
	var b strings.Builder
	b.Grow(usualHeader + 3*len(j.x.Body))
	write := func(lines []string) {
		for _, line := range lines {
			b.WriteString(line)
			b.WriteByte('\n')
		}
	}
	for _, values := range j.x.Header {
		write(values)
	}
	b.Write(j.x.Body)
	b.WriteByte('\n')
	if j.body == nil {
		return b.String()
	}
	for _, text := range texts(j.body, nil) {
		write([]string{text})
		if claims := j.takeApart(text).claims; claims != nil {
			write(texts(claims, nil))
		}
	}
	return b.String()
}

// placeOf says where an answer mentions something, and nothing where it does not.
func (j *judge) placeOf(mentions func(string) bool) string {
	for _, name := range slices.Sorted(maps.Keys(j.x.Header)) {
		if mentions(strings.Join(j.x.Header[name], "\n")) {
			return "the header " + strictjson.Brief(name)
		}
	}
	if j.body == nil {
		if mentions(string(j.x.Body)) {
			return "the body"
		}
		return ""
	}
	for _, text := range texts(j.body, nil) {
		if claims := j.takeApart(text).claims; claims != nil && mentions(strings.Join(texts(claims, nil), "\n")) {
			return "a claim of a token"
		}
	}
	if mentions(string(j.x.Body)) || mentions(strings.Join(texts(j.body, nil), "\n")) {
		return "the body"
	}
	return ""
}

// takeApart is the function of that name, where the judge has not yet looked at the token.
func (j *judge) takeApart(text string) parts {
	if known, looked := j.apart[text]; looked {
		return known
	}
	p := takeApart(text)
	if p.jws != nil {
		if j.apart == nil {
			j.apart = map[string]parts{}
		}
		j.apart[text] = p
	}
	return p
}
