package wire

import "strings"

// secretLabel tells whether a header, a parameter, a member or a claim of that name holds a secret, and what to call it. Case and the
// signs between words do not matter.
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
	switch n {
	case "accesstoken":
		return "access token", true
	case "refreshtoken":
		return "refresh token", true
	case "sessiontoken":
		return "session token", true
	case "useraccounttoken", "usertoken":
		return "user account token", true
	case "operatorauthtoken":
		return "operator token", true
	case "authorization", "proxyauthorization", "credential", "credentials":
		return "credentials", true
	case "phpsessid", "connectsid":
		return "session id", true
	case "authorizationcode", "authcode", "codeverifier":
		return "authorization code", true
	case "cookie", "setcookie":
		return "cookie", true
	case "pass", "pwd", "pin", "otp":
		return "password", true
	case "assertion", "privatekey":
		return "secret", true
	}
	switch {
	case strings.HasSuffix(n, "sessionid"), strings.HasSuffix(n, "sessionkey"): // of gateways and portals
		return "session id", true
	case strings.HasSuffix(n, "token"), strings.HasSuffix(n, "jwt"):
		return "token", true
	case strings.Contains(n, "password"), strings.Contains(n, "passwd"), strings.Contains(n, "passphrase"), strings.HasSuffix(n, "pwd"):
		return "password", true
	case strings.Contains(n, "secret"), strings.HasSuffix(n, "apikey"):
		return "secret", true
	}
	return "", false
}

// vague labels give way to what is known of a value from elsewhere.
func vague(label string) bool {
	return label == "" || label == "secret" || label == "token" || label == "credentials"
}
