package redact

import "strings"

// secretNames maps names of secrets, in small letters and without the signs between words, to labels for their values.
var secretNames = map[string]string{
	"accesstoken": "access token", "refreshtoken": "refresh token", "sessiontoken": "session token",
	"operatorauthtoken": "operator token",
	"useraccounttoken":  "user account token", "usertoken": "user account token",
	"authorization": "credentials", "proxyauthorization": "credentials", "credential": "credentials",
	"credentials": "credentials",
	"phpsessid":   "session id", "connectsid": "session id", "cookie": "cookie", "setcookie": "cookie",
	"authorizationcode": "authorization code", "authcode": "authorization code", "codeverifier": "authorization code",
	"pass": "password", "pwd": "password", "pin": "password", "otp": "password", "assertion": "secret",
	"privatekey": "secret",
}

// secretParts are the endings or parts of names of secrets, in the order in which they are tried.
var secretParts = []struct {
	text, label string
	within      bool
}{
	{"sessionid", "session id", false}, {"sessionkey", "session id", false}, // of gateways and portals
	{"token", "token", false}, {"jwt", "token", false},
	{"password", "password", true}, {"passwd", "password", true}, {"passphrase", "password", true},
	{"pwd", "password", false},
	{"secret", "secret", true}, {"apikey", "secret", false},
}

// secretLabel tells whether a header, a parameter, a member or a claim of that name holds a secret, and returns its
// label. Case and the signs between words do not matter.
func secretLabel(name string) (label string, secret bool) {
	if len(name) == 0 || len(name) > 100 {
		return "", false
	}
	var buffer [100]byte
	key := buffer[:0]
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c >= 'A' && c <= 'Z':
			key = append(key, c+'a'-'A')
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			key = append(key, c)
		}
	}
	n := string(key)
	if label, known := secretNames[n]; known {
		return label, true
	}
	for _, part := range secretParts {
		if part.within && strings.Contains(n, part.text) || strings.HasSuffix(n, part.text) {
			return part.label, true
		}
	}
	return "", false
}

// vague tells whether a label gives way to a better one for the same value.
func vague(label string) bool {
	return label == "" || label == "secret" || label == "token" || label == "credentials"
}
