package check

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"sync"
)

// digest is what a hash makes of a text without salt. Who sees it looks the text up, or tries words until one fits.
type digest struct {
	name string
	// The digest in hexadecimal digits and in both alphabets of base64.
	hex, base64, base64url string
}

func digestOf(name string, sum []byte) digest {
	return digest{name, hex.EncodeToString(sum), base64.RawStdEncoding.EncodeToString(sum),
		base64.RawURLEncoding.EncodeToString(sum)}
}

// keptDigests are those of the passwords of the run at hand, which are looked for in every answer. They are bounded.
var keptDigests struct {
	sync.RWMutex
	of map[string][]digest
}

const maxKeptDigests = 500

// digests of a text. MD5 and SHA-1 are what services of long ago kept in place of passwords. Nobody changes what it
// gives.
func digests(text string) []digest {
	keptDigests.RLock()
	made, known := keptDigests.of[text]
	keptDigests.RUnlock()
	if known {
		return made
	}
	raw := []byte(text)
	first, second, third, fourth := md5.Sum(raw), sha1.Sum(raw), sha256.Sum256(raw), sha512.Sum512(raw)
	made = []digest{digestOf("MD5", first[:]), digestOf("SHA-1", second[:]), digestOf("SHA-256", third[:]),
		digestOf("SHA-512", fourth[:])}
	keptDigests.Lock()
	defer keptDigests.Unlock()
	if len(keptDigests.of) >= maxKeptDigests || keptDigests.of == nil {
		keptDigests.of = map[string][]digest{}
	}
	keptDigests.of[strings.Clone(text)] = made
	return made
}

// in tells whether a text holds the digest, in hexadecimal digits of any case or in either alphabet of base64.
func (d digest) in(text string) bool { return d.within(text, hexRuns(text)) }

// within is in for a text of which the runs of hexadecimal digits are known.
func (d digest) within(text, runs string) bool {
	return contains(text, d.base64) || d.base64url != d.base64 && contains(text, d.base64url) ||
		strings.Contains(runs, d.hex)
}

// shortestHex is the length of the shortest digest in hexadecimal digits: MD5.
const shortestHex = 2 * md5.Size

// hexRuns are the stretches of a text that are hexadecimal digits alone and long enough for a digest, in lower case,
// each on a line. Such a stretch holds a place that is a multiple of its length, so that few places are looked at.
func hexRuns(text string) string {
	var runs []byte
	for at := shortestHex - 1; at < len(text); at += shortestHex {
		if !isHex(text[at]) {
			continue
		}
		start, end := at, at+1
		for start > 0 && isHex(text[start-1]) {
			start--
		}
		for end < len(text) && isHex(text[end]) {
			end++
		}
		if end-start >= shortestHex {
			runs = append(append(runs, strings.ToLower(text[start:end])...), '\n')
		}
		at += (end - 1 - at) / shortestHex * shortestHex // what follows in this stretch is of it
	}
	return string(runs)
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

// contains is strings.Contains for a long text that is hardly ever there: its beginning alone is found much faster.
func contains(text, long string) bool {
	const beginning = 16
	return strings.Contains(text, long[:min(len(long), beginning)]) && strings.Contains(text, long)
}
