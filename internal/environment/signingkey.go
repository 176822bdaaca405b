package environment

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"agstest/internal/userfile"
)

// The algorithms of the OperatorAuthToken (RFC 7518 section 3.1): those with a shared secret, and those with a private
// key in PEM form.
var (
	sharedAlgorithms = []string{"HS256", "HS384", "HS512"}
	keyAlgorithms    = []string{"RS256", "ES256"}
)

// minRSA are the bits that RFC 7518 section 3.3 asks of an RSA key.
const minRSA = 2048

// OperatorKey is one key of a head-end system.
type OperatorKey struct {
	Secret    string `yaml:"secret"`
	Encoding  string `yaml:"encoding"`
	Algorithm string `yaml:"alg"`
	Key       string `yaml:"key"`
}

// SigningKey signs OperatorAuthTokens. It may be used by many goroutines at once.
type SigningKey struct {
	ID        string // kid; empty: none
	Algorithm string // such as HS256
	Secret    []byte // of an algorithm with a shared secret
	private   any    // of one with a private key
}

// Sign makes the signature of the first two parts of a JWT (RFC 7515 section 3.1), which is not encoded yet.
func (k SigningKey) Sign(signed string) ([]byte, error) {
	key := k.private
	if key == nil {
		key = k.Secret
	}
	return jwt.GetSigningMethod(k.Algorithm).Sign(signed, key)
}

// Other is a key of the same kind that nobody has. The seed makes a shared secret; a private key is random.
func (k SigningKey) Other(seed string) (SigningKey, error) {
	other, err := k, error(nil)
	switch k.private.(type) {
	case *rsa.PrivateKey:
		other.private, err = rsa.GenerateKey(rand.Reader, minRSA)
	case *ecdsa.PrivateKey:
		other.private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		other.Secret = []byte(seed)
	}
	return other, err
}

// Public tells that the key is a private one, so that the service knows only its public half.
func (k SigningKey) Public() bool { return k.private != nil }

// Confused returns the public half in PEM form as a shared secret of HS256: a service that lets a token choose its
// algorithm accepts such a signature (RFC 8725 section 2.1). It is empty if the key is a shared secret.
func (k SigningKey) Confused() (SigningKey, error) {
	text, err := publicPEM(k.private)
	return SigningKey{ID: k.ID, Algorithm: "HS256", Secret: text}, err
}

// Keys returns the keys of the head-end system, first that of the file, then those of keys by their kid. It reads them
// on each call; an error means that a file has changed since the environment was read, or that it was refused.
func (o *Operator) Keys() ([]SigningKey, error) {
	var keys []SigningKey
	if o.Secret+o.Key != "" {
		key, err := OperatorKey{o.Secret, o.Encoding, o.Algorithm, o.Key}.signing(o.KeyID)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	for _, id := range slices.Sorted(maps.Keys(o.More)) {
		key, err := o.More[id].signing(id)
		if err != nil {
			return nil, fmt.Errorf("of the kid %s %w", id, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func (k OperatorKey) signing(id string) (SigningKey, error) {
	key := SigningKey{ID: id, Algorithm: cmp.Or(k.Algorithm, defaultAlgorithm)}
	if k.Key == "" {
		secret, err := k.decoded()
		key.Secret = secret
		return key, err
	}
	text, err := userfile.ReadPEM(k.Key)
	if err != nil {
		return key, fmt.Errorf("cannot read %s: %w", k.Key, userfile.WithoutPath(err))
	}
	if encryptedKey(text) {
		return key, fmt.Errorf(
			"cannot be read: the key in %s is encrypted; give one that is not, in a file that is yours alone", k.Key)
	}
	switch key.Algorithm {
	case "ES256":
		private, err := jwt.ParseECPrivateKeyFromPEM(text)
		if err != nil || private.Curve != elliptic.P256() {
			return key, fmt.Errorf(
				"cannot be read: %s holds no private key in PEM form of the curve P-256, which alg: ES256 signs with",
				k.Key)
		}
		key.private = private
	default:
		private, err := jwt.ParseRSAPrivateKeyFromPEM(text)
		if err != nil {
			return key, fmt.Errorf(
				"cannot be read: %s holds no private RSA key in PEM form, which alg: RS256 signs with", k.Key)
		}
		key.private = private
	}
	return key, nil
}

// decoded is the shared secret. An error means that the file has been refused for it.
func (k OperatorKey) decoded() ([]byte, error) {
	switch k.Encoding {
	case "", "text":
		return []byte(k.Secret), nil
	case "hex":
		key, err := hex.DecodeString(k.Secret)
		if err != nil {
			return nil, errors.New("is no text in hexadecimal digits, two for each byte, as encoding: hex says")
		}
		return key, nil
	case "base64":
		plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(k.Secret, "="))
		key, err := base64.RawStdEncoding.DecodeString(plain)
		if err != nil {
			return nil, errors.New("is no text in base64, as encoding: base64 says")
		}
		return key, nil
	}
	return nil, errors.New("has an unknown encoding")
}

// checkKey finds mistakes in one key. Messages quote nothing of a secret.
func (r *reader) checkKey(path string, k OperatorKey) {
	all := slices.Concat(sharedAlgorithms, keyAlgorithms)
	encodings := []string{"text", "base64", "hex"}
	algorithm := cmp.Or(k.Algorithm, defaultAlgorithm)
	switch {
	case !slices.Contains(all, algorithm):
		r.wrong(path+".alg", "is %s; it must be one of %s", algorithm, strings.Join(all, ", "))
		return
	case k.Encoding != "" && !slices.Contains(encodings, k.Encoding):
		r.wrong(path+".encoding", "must be one of %s", strings.Join(encodings, ", "))
		return
	case slices.Contains(keyAlgorithms, algorithm) && k.Secret != "":
		r.wrong(path+".secret", "is for HS256, HS384 and HS512; %s signs with a private key, key: operator-key.pem",
			algorithm)
		return
	case slices.Contains(keyAlgorithms, algorithm) && k.Key == "":
		r.wrong(path, "needs key: the file of the private key in PEM form that %s signs with", algorithm)
		return
	case slices.Contains(sharedAlgorithms, algorithm) && k.Key != "":
		r.wrong(path+".key", "needs alg: RS256 or ES256, which sign with a private key; %s has a secret", algorithm)
		return
	case k.Key != "" && k.Encoding != "":
		r.wrong(path+".encoding", "says how secret is written, and there is none")
		return
	}
	key, err := k.signing("")
	if err != nil {
		at := path + ".secret"
		if k.Key != "" {
			at = path + ".key"
		}
		r.wrong(at, "%v", err)
		return
	}
	if k.Key != "" {
		r.warnOfReaders(path+".key", k.Key)
	}
	if private, ok := key.private.(*rsa.PrivateKey); ok && private.N.BitLen() < minRSA {
		r.wrong(path+".key", "is an RSA key of %d bits; RS256 wants at least %d (RFC 7518)", private.N.BitLen(), minRSA)
	}
	// RFC 7518 section 3.2: a key of the size of the hash or larger.
	if least := map[string]int{"HS256": 32, "HS384": 48, "HS512": 64}[algorithm]; k.Algorithm+k.Encoding != "" &&
		len(key.Secret) < least {
		r.warn(path+".secret",
			"has %d bytes; %s wants at least %d (RFC 7518), and a service may refuse what is signed with fewer",
			len(key.Secret), algorithm, least)
	}
}

// settleKeys makes the paths of private keys absolute.
func (r *reader) settleKeys(e *Environment) {
	for _, path := range e.keyFiles() {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(e.dir, *path)
		}
	}
}

// keyFiles are the paths of the files that the section operator names.
func (e *Environment) keyFiles() []*string {
	if e.Operator == nil {
		return nil
	}
	o := e.Operator
	files := []*string{&o.Key, &o.TLS.CA, &o.TLS.Cert, &o.TLS.Key}
	for _, id := range slices.Sorted(maps.Keys(o.More)) {
		if o.More[id] != nil {
			files = append(files, &o.More[id].Key)
		}
	}
	return files
}

func publicPEM(private any) ([]byte, error) {
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, errors.New("the key of the operator is a shared secret, which has no public half")
	}
	der, err := x509.MarshalPKIXPublicKey(signer.Public())
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), err
}
