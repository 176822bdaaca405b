package check

import (
	"fmt"
	"regexp"
	"strings"

	"agstest/ags"
	"agstest/internal/strictjson"
)

// The requirements that the token body of each operation falls under: that it brings both tokens, and that its eight
// members have the documented kinds. signOn and subsequentSignOn have one requirement for both.
var tokenBodyRequirements = map[string]struct{ tokens, members string }{
	ags.SignOnWithSessionToken: {"SOST-03", "SOST-04"},
	ags.SignOn:                 {"SSO-01", "SSO-01"},
	ags.SubsequentSignOn:       {"SUB-01", "SUB-01"},
	ags.Refresh:                {"REF-02", "REF-03"},
}

// tokenBody judges the answer of a sign-on or a refresh.
func (j *judge) tokenBody() {
	ids := tokenBodyRequirements[j.operation.Name]
	body := j.object()
	if body == nil {
		j.add(ids.tokens, Broken, "a body with an access token and a refresh token", j.notObject())
		if ids.members != ids.tokens {
			j.add(ids.members, Broken, "a body with the members of the token body", j.notObject())
		}
		return
	}
	tokens := missingTokens(body)
	if tokens == "" && j.is(ags.Refresh) {
		tokens = j.sameToken(body)
	}
	members := j.memberProblems(body)
	if ids.tokens == ids.members {
		problem := strings.Join(compact(tokens, members), "; ")
		j.rule(ids.tokens, problem == "", "a token body", first(problem, "a token body"))
	} else {
		j.rule(ids.tokens, tokens == "", "an access token and a refresh token", first(tokens, "both"))
		j.rule(ids.members, members == "", "the eight members of the token body with their kinds",
			first(members, "all"))
	}
	j.newClient(body)
	j.tokens(body)
}

func missingTokens(body *strictjson.Value) string {
	var missing []string
	for _, name := range []string{"access_token", "refresh_token"} {
		if v := body.Get(name); v.String() == "" {
			missing = append(missing, name+" is "+describe(v))
		}
	}
	return strings.Join(missing, "; ")
}

// sameToken says where a refresh brought the access token of before. Two tokens minted in the same second may be alike
// to the byte, so it takes more time than the clocks can differ to tell.
func (j *judge) sameToken(body *strictjson.Value) string {
	p := j.k.Previous
	if p == nil || p.Issued.IsZero() || body.Get("access_token").String() != p.AccessToken {
		return ""
	}
	if !j.timeTells() && (j.x.Sent.IsZero() || j.x.Sent.Sub(p.Issued) <= j.k.Skew+tolerance) {
		return ""
	}
	return "the access token is the one from before the refresh"
}

func (j *judge) memberProblems(body *strictjson.Value) string {
	var problems []string
	for _, f := range ags.TokenFields {
		v := body.Get(f.Path)
		switch {
		case v == nil && f.Path == "client_id" && j.is(ags.Refresh):
		case v == nil:
			problems = append(problems, f.Path+" is absent")
		case v.Kind != f.Kind:
			problems = append(problems, fmt.Sprintf("%s is %s and not of the kind %s", f.Path, describe(v), f.Kind))
		case v.Kind == ags.String && v.Text == "":
			problems = append(problems, f.Path+" is an empty string")
		}
	}
	if j.bodyErr != nil {
		problems = append(problems, j.bodyErr.Error())
	}
	return strings.Join(problems, "; ")
}

// newClient judges that a first-time sign-on brings a client_id, and none that was given before (DEV-01). That it works
// later takes another call, so it is never Held here.
func (j *judge) newClient(body *strictjson.Value) {
	if j.k.FirstTime && j.k.Taken {
		j.add("DEV-01", Broken, "a client_id that no device had before",
			strictjson.Brief(body.Get("client_id").String())+", as another first-time sign-on before")
	}
	if !j.k.FirstTime || body.Get("client_id").String() != "" {
		return
	}
	id, ok := map[string]string{ags.SignOnWithSessionToken: "SOST-21", ags.SignOn: "SSO-12"}[j.operation.Name]
	if ok {
		j.add(id, Broken, "a new, non-empty client_id", "client_id is "+describe(body.Get("client_id")))
	}
}

// tokens judges everything about a pair of tokens and the members beside them.
func (j *judge) tokens(body *strictjson.Value) {
	j.tokenType(body)
	j.lifetimes(body)
	j.cacheable()
	j.accessLife(body)
	j.sessionLife(body)
	p := j.pair(body)
	j.structure(p)
	j.invariants(p)
	j.identity(p)
}

func (j *judge) tokenType(body *strictjson.Value) {
	v := body.Get("token_type")
	if v == nil {
		j.add("TOK-18", Broken, "bearer", "token_type is absent")
		return
	}
	got := describe(v)
	if v.Kind == ags.String {
		got = strictjson.Brief(v.Text)
	}
	j.rule("TOK-18", strings.EqualFold(v.String(), "bearer"), "bearer, in any case", got)
}

// The members that say how long something lives, in seconds.
var lifetimeNames = []string{"expires_in", "refresh_expires_in", "fixed_refresh_expires_in"}

func (j *judge) lifetimes(body *strictjson.Value) {
	var problems, notes []string
	evaluated := false
	for _, name := range lifetimeNames {
		v := body.Get(name)
		if v == nil {
			continue // the members' requirement says so
		}
		evaluated = true
		n, ok := v.Int()
		switch {
		case !ok || n <= 0:
			problems = append(problems, name+" is "+describe(v))
		case n > maxExp: // what cannot be reckoned with would leave all rules about deadlines without a word
			problems = append(problems, name+" is "+describe(v)+", which is beyond every date")
		case strings.ContainsAny(v.Text, ".eE"):
			notes = append(notes, name+" is written "+strictjson.Brief(v.Text)) // an integer all the same
		}
	}
	if evaluated {
		j.rule("TOK-22", len(problems) == 0, "positive JSON integers",
			strings.Join(compact(append(problems, notes...)...), "; "))
	}
}

// cacheable judges GW-06. That nothing is said of caches is only recorded: no page asks for it, and answers to POST are
// kept by nobody unless they offer it (RFC 9111 section 3).
func (j *judge) cacheable() {
	said := strings.Join(j.x.Header.Values("Cache-Control"), ", ")
	got := "Cache-Control " + strictjson.Brief(said)
	switch {
	case said == "":
		j.add("GW-06", Observed, "", "no Cache-Control")
	case Offered(said):
		j.add("GW-06", Broken, "no offer of tokens to caches", got)
	case directive(said, "no-store"):
		j.add("GW-06", Held, "no offer of tokens to caches", got)
	default:
		j.add("GW-06", Observed, "", got)
	}
}

// Offered tells whether a Cache-Control lets caches that others use keep an answer.
func Offered(said string) bool {
	if directive(said, "no-store") || directive(said, "private") {
		return false
	}
	return directive(said, "public") || lasts.MatchString(said) && !directive(said, "no-cache")
}

// lasts matches the time for which an answer may be kept, unless it is nought.
var lasts = regexp.MustCompile(`(?i)(?:^|[,\s])(?:s-maxage|max-age)\s*=\s*"?0*[1-9]`)

// directive tells whether a Cache-Control holds a directive, whatever stands behind it.
func directive(said, name string) bool {
	for part := range strings.SplitSeq(said, ",") {
		part, _, _ = strings.Cut(part, "=")
		if strings.EqualFold(strings.TrimSpace(part), name) {
			return true
		}
	}
	return false
}

// longAccess is how long an access token may live, in seconds: a week. The pages speak of an hour.
const longAccess = 7 * 24 * 3600

// accessLife judges TOK-25.
func (j *judge) accessLife(body *strictjson.Value) {
	if n, ok := body.Get("expires_in").Int(); ok && n > 0 && n <= maxExp {
		j.rule("TOK-25", n <= longAccess, "an access token that lives for a week at most",
			fmt.Sprintf("expires_in %d, %d hours", n, n/3600))
	}
}

// longSession is how long a session may go on without a new sign-on, in days. The pages tell of 30 and of 90.
const longSession = 400

// sessionLife judges TOK-27.
func (j *judge) sessionLife(body *strictjson.Value) {
	longest, which := int64(0), ""
	for _, name := range []string{"refresh_expires_in", "fixed_refresh_expires_in"} {
		if n, ok := body.Get(name).Int(); ok && n > longest {
			longest, which = n, name
		}
	}
	if longest > 0 && longest <= maxExp {
		days := longest / (24 * 3600)
		j.rule("TOK-27", days <= longSession, fmt.Sprintf("a session that ends within %d days", longSession),
			fmt.Sprintf("%s %d, %d days", which, longest, days))
	}
}

// compact leaves out empty texts.
func compact(texts ...string) []string {
	var kept []string
	for _, t := range texts {
		if t != "" {
			kept = append(kept, t)
		}
	}
	return kept
}
