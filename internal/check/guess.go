package check

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strings"
)

// How far tokens that were issued one after the other may lie apart, and how much must differ between them.
const (
	smallStep  = 1 << 16 // who knows one token tries so many others in no time
	wideSpan   = 1 << 40 // a moment in microseconds or an id that counts up: 128 bits of chance never lie so near
	fewestBits = 40      // fewer are tried through in hours
)

// Guess tells whether tokens that were issued one after the other can be guessed from one another: Broken where they
// count up or down in small steps, Soft where they do so in wider ones, or differ in few characters. It looks at the
// texts themselves, and at what they hold in base64 or hexadecimal digits. It says nothing of how random the rest is,
// and shows no part of a token. What names the tokens in a sentence, such as "the session tokens".
func Guess(what string, tokens []string) (Outcome, string) {
	worst, how := Held, ""
	for _, reading := range []struct {
		of   string
		read func(string) (string, bool)
	}{
		{what, func(s string) (string, bool) { return s, true }},
		{what + ", read as base64,", readBase64},
		{what + ", read as hexadecimal digits,", readHex},
	} {
		var texts []string
		for _, token := range tokens {
			if text, ok := reading.read(token); ok {
				texts = append(texts, text)
			}
		}
		if len(texts) < len(tokens) {
			continue
		}
		if found, why := guess(texts); found == Broken || found == Soft && worst == Held {
			worst, how = found, reading.of+" "+why
		}
	}
	if worst == Held && !slices.ContainsFunc(tokens, func(token string) bool { return !madeOfTime.MatchString(token) }) {
		return Soft, what + " are UUIDs of a version that is made of the moment and of the machine"
	}
	return worst, how
}

// madeOfTime are UUIDs of the versions 1 and 6, whose last 62 bits stay the same on a machine (RFC 9562 section 5).
var madeOfTime = regexp.MustCompile(`(?i)[0-9a-f]{8}-[0-9a-f]{4}-[16][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)

// readBase64 reads a text in either alphabet, padded or not. What is not printable is no encoded text.
func readBase64(text string) (string, bool) {
	plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	decoded, err := base64.RawStdEncoding.DecodeString(plain)
	return string(decoded), err == nil && len(decoded) > 0 && printable(string(decoded))
}

func readHex(text string) (string, bool) {
	decoded, err := hex.DecodeString(text)
	return string(decoded), err == nil && len(decoded) > 0 && printable(string(decoded))
}

func printable(text string) bool {
	for _, r := range text {
		if r < ' ' || r > '~' {
			return false
		}
	}
	return true
}

// guess looks at the middle of texts, between what all of them begin and end with.
func guess(texts []string) (Outcome, string) {
	middles := differing(texts)
	if step, ok := largestStep(middles); ok {
		switch {
		case step <= smallStep:
			return Broken, fmt.Sprintf("count up or down: the next is at most %d further on", step)
		case step <= wideSpan/int64(len(texts)):
			return Soft, "count up or down, as a moment or an id from a row does"
		}
	}
	length, alphabet := 0, 0
	for _, m := range middles {
		length, alphabet = max(length, len(m)), max(alphabet, lettersOf(m))
	}
	if bits := float64(length) * math.Log2(float64(max(2, alphabet))); bits < fewestBits {
		return Soft, fmt.Sprintf("differ in at most %d characters that stand side by side, %.0f bits", length, bits)
	}
	return Held, ""
}

// differing cuts off what all texts have in common at both ends. Digits that belong to the number which differs stay,
// so that 199 and 200 are a step apart.
func differing(texts []string) []string {
	front, back := len(texts[0]), len(texts[0])
	for _, t := range texts[1:] {
		front = min(front, commonFront(texts[0], t))
	}
	for _, t := range texts {
		back = min(back, len(t)-front)
	}
	for _, t := range texts[1:] {
		back = min(back, commonBack(texts[0], t))
	}
	for front > 0 && digit(texts[0][front-1]) {
		front--
	}
	for back > 0 && digit(texts[0][len(texts[0])-back]) {
		back--
	}
	middles := make([]string, len(texts))
	for i, t := range texts {
		middles[i] = t[front : len(t)-min(back, len(t)-front)]
	}
	return middles
}

func commonFront(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func commonBack(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// largestStep is the largest distance between one number and the next, where texts are numbers in decimal, hexadecimal
// or base 36 that all grow or all shrink.
func largestStep(texts []string) (int64, bool) {
	for _, base := range []int{10, 16, 36} {
		if step, ok := largestStepIn(texts, base); ok {
			return step, true
		}
	}
	return 0, false
}

func largestStepIn(texts []string, base int) (int64, bool) {
	var numbers []*big.Int
	for _, t := range texts {
		n, ok := new(big.Int).SetString(strings.ToLower(t), base)
		if !ok || len(t) > 64 {
			return 0, false
		}
		numbers = append(numbers, n)
	}
	largest, direction := int64(0), 0
	for i := 1; i < len(numbers); i++ {
		d := new(big.Int).Sub(numbers[i], numbers[i-1])
		if !d.IsInt64() || d.Sign() == 0 || direction != 0 && d.Sign() != direction {
			return 0, false
		}
		direction = d.Sign()
		largest = max(largest, d.Abs(d).Int64())
	}
	return largest, true
}

// lettersOf is how many different characters the alphabet of a text has, as far as it shows.
func lettersOf(text string) int {
	size := map[string]int{}
	hexadecimal := true
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9':
			size["digits"] = 10
		case r >= 'a' && r <= 'z':
			size["small"], hexadecimal = 26, hexadecimal && r <= 'f'
		case r >= 'A' && r <= 'Z':
			size["large"], hexadecimal = 26, hexadecimal && r <= 'F'
		default:
			size["others"], hexadecimal = 2, false
		}
	}
	if hexadecimal && len(size) == 2 && size["digits"] > 0 {
		return 16
	}
	return size["digits"] + size["small"] + size["large"] + size["others"]
}
