package check

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// digest is what a hash makes of a text without salt. Who sees it looks the text up, or tries words until one fits.
type digest struct {
	name string
	sum  []byte
}

// digests of a text. MD5 and SHA-1 are what services of long ago kept in place of passwords.
func digests(text string) []digest {
	raw := []byte(text)
	first, second, third, fourth := md5.Sum(raw), sha1.Sum(raw), sha256.Sum256(raw), sha512.Sum512(raw)
	return []digest{{"MD5", first[:]}, {"SHA-1", second[:]}, {"SHA-256", third[:]}, {"SHA-512", fourth[:]}}
}

// in tells whether a text holds the digest, in hexadecimal digits of any case or in either alphabet of base64.
func (d digest) in(text string) bool {
	return strings.Contains(text, base64.RawStdEncoding.EncodeToString(d.sum)) || strings.Contains(text, base64.RawURLEncoding.EncodeToString(d.sum)) ||
		strings.Contains(strings.ToLower(text), hex.EncodeToString(d.sum))
}
