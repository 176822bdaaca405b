package words

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/figures"
	"agstest/internal/strictjson"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// fewestIssued are so many tokens that three which nobody can guess hardly ever come in the order of their size.
const fewestIssued = 4

// unguessable holds tokens that were issued one after the other against each other. What names them, such as "session
// token".
func unguessable(what string, issued []string) error {
	if len(issued) < fewestIssued {
		return talk.Unknownf("%s came in place of %d", figures.Plural(len(issued), what), fewestIssued)
	}
	var different []string
	for _, token := range issued {
		if !slices.Contains(different, token) {
			different = append(different, token)
		}
	}
	expected := what + "s that nobody can guess from one another"
	again := len(different) < len(issued)
	if again && (what == "session token" || len(different) < 2) {
		return &talk.Seen{What: "the same " + what +
			" came again while it is good, so that nothing shows how the next is made"}
	}
	switch found, how := check.Guess("the "+what+"s", different); {
	case found == check.Broken:
		return talk.Missf(expected, "%s", how)
	case found == check.Soft:
		return talk.SoftMissf(expected, "%s", how)
	case again:
		return &talk.Seen{What: "the same " + what +
			" came again while it is good, and those that differ do not tell one another"}
	}
	return nil
}

// userTokens are the userAccountTokens of all lists of accounts that came in a scenario, each once for an answer. An
// error says that one is made of what stands beside it.
func userTokens(w *scene.World) (issued []string, err error) {
	for _, x := range w.Exchanges {
		if x.Status != http.StatusMultipleChoices || x.Request.Operation != ags.SignOn &&
			x.Request.Operation != ags.Register {
			continue
		}
		accounts, _ := check.Accounts(x.Exchange)
		var own []string
		for i, a := range accounts {
			if a.Token == "" || slices.Contains(own, a.Token) {
				continue
			}
			own = append(own, a.Token)
			if how := madeOf(a.Token, a.Information); how != "" && err == nil {
				err = talk.Missf("userAccountTokens that nobody can make",
					"that of account %d is %s of its accountInformation", i+1, how)
			}
		}
		issued = append(issued, own...)
	}
	return issued, err
}

// madeOf tells how a token is made of a value of the accountInformation beside it; empty if it is not.
func madeOf(token, information string) string {
	body, _ := strictjson.Parse([]byte(information))
	for _, value := range valuesOf(body) {
		m, s1, s2 := md5.Sum([]byte(value)), sha1.Sum([]byte(value)), sha256.Sum256([]byte(value))
		for _, form := range []struct {
			words string
			bytes []byte
		}{{"a value", []byte(value)}, {"the MD5 of a value", m[:]}, {"the SHA-1 of a value",
			s1[:]}, {"the SHA-256 of a value", s2[:]}} {
			plain := strings.TrimRight(token, "=")
			switch {
			case form.words == "a value" && token == value:
				return form.words
			case strings.EqualFold(token, hex.EncodeToString(form.bytes)):
				return form.words + " in hexadecimal digits"
			case plain == base64.RawURLEncoding.EncodeToString(
				form.bytes), plain == base64.RawStdEncoding.EncodeToString(form.bytes):
				return form.words + " in base64"
			}
		}
	}
	return ""
}

// valuesOf are the texts and numbers at any depth.
func valuesOf(v *strictjson.Value) (values []string) {
	if v == nil {
		return nil
	}
	for _, m := range v.Members {
		values = append(values, valuesOf(m.Value)...)
	}
	for _, item := range v.Items {
		values = append(values, valuesOf(item)...)
	}
	if v.Text != "" {
		values = append(values, v.Text)
	}
	return values
}

// refreshTokens are the refresh tokens that came in a scenario, in their order. A signed one tells nobody the next.
func refreshTokens(w *scene.World) (issued []string, err error) {
	for _, x := range w.Exchanges {
		if x.Request.Operation != ags.Refresh {
			continue
		}
		pair, failed := scene.ReadPair(x)
		if failed != nil {
			continue
		}
		if !check.Opaque(pair.RefreshToken) {
			return nil, &talk.Seen{What: "the refresh tokens are signed: whoever knows some can make no other"}
		}
		issued = append(issued, pair.RefreshToken)
	}
	return issued, nil
}
