package check

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"agstest/ags"
	"agstest/internal/strictjson"
)

// tolerance is how far the deadlines of one pair may be apart: its tokens may be minted in neighbouring seconds.
const tolerance = 2 * time.Second

const toleranceSeconds = int64(tolerance / time.Second)

// times are the six numbers that the invariants are about, in seconds.
type times struct {
	access, refresh, fixed int64 // deadlines: access.exp, refresh.exp, fixed_exp
	a, r, f                int64 // lifetimes: expires_in, refresh_expires_in, fixed_refresh_expires_in
	kept                   bool  // the refresh token is the one that was refreshed
}

// readTimes fails where one of the numbers is missing or no number, which other rules say.
func readTimes(p *tokenPair) (times, bool) {
	var t times
	ok := true
	read := func(n int64, good bool) int64 { ok = ok && good; return n }
	t.access = read(p.access.seconds("exp"))
	t.refresh = read(p.refresh.seconds("exp"))
	fixed, told := p.access.seconds("fixed_exp")
	if p.access.claims.Get("fixed_exp") == nil {
		fixed, told = p.refresh.seconds("fixed_exp")
	}
	t.fixed = read(fixed, told)
	for i, into := range []*int64{&t.a, &t.r, &t.f} {
		n, good := p.body.Get(lifetimeNames[i]).Int()
		*into = read(n, good && n > 0 && n <= maxExp)
	}
	return t, ok
}

func near(a, b int64) bool { return a-b <= toleranceSeconds && b-a <= toleranceSeconds }

// invariants judges the numbers and the shared claims of a pair: TOK-11 to TOK-15, TOK-17, and REF-09 to REF-11.
func (j *judge) invariants(p *tokenPair) {
	if t, ok := readTimes(p); ok {
		t.kept = j.notRenewed(p)
		j.issueInstant(t)
		j.differences(t)
		j.order(t)
	}
	j.callWindow(p)
	j.fixedEnd(p)
	j.sharedClaims(p)
}

// After a refresh, the lifetime until the fixed end may be the remaining time or the constant of the first sign-on
// (ambiguity 7.13), and a refresh token that the fixed end cuts short may state its full lifetime.
func (j *judge) fixedFits(t times) bool {
	issued := t.access - t.a
	return near(t.fixed-t.f, issued) || j.is(ags.Refresh) && t.f > t.fixed-issued && j.constantLifetime(t.f, true)
}

// notRenewed: a refresh gave back the refresh token that it was shown, which REF-02 warns of. It was issued before.
func (j *judge) notRenewed(p *tokenPair) bool {
	given := p.body.Get("refresh_token").String()
	return j.is(ags.Refresh) && given != "" && j.wasSent(given)
}

// toldAnew: a refresh token that was given back is said to live for longer than until its exp, though it shows by now
// that time has passed since it was issued. Whoever believes that is signed out before.
func (j *judge) toldAnew(t times) bool {
	return t.kept && j.timeTells() && t.r > t.refresh-(t.access-t.a)+toleranceSeconds
}

func (j *judge) refreshFits(t times) bool {
	issued := t.access - t.a
	return t.kept && !j.toldAnew(t) || near(t.refresh-t.r, issued) || j.is(ags.Refresh) && near(t.refresh, t.fixed) &&
		t.r > t.refresh-issued && j.constantLifetime(t.r, false)
}

// constantLifetime compares with the lifetime of the pair before, where it is known.
func (j *judge) constantLifetime(n int64, fixed bool) bool {
	if j.k.Previous == nil {
		return true
	}
	before := j.k.Previous.RefreshExpiresIn
	if fixed {
		before = j.k.Previous.FixedRefreshExpiresIn
	}
	return n == before
}

func (j *judge) issueInstant(t times) {
	j.rule("TOK-11", j.refreshFits(t) && j.fixedFits(t), "one instant of issue within 2 s",
		fmt.Sprintf("access token: %s, refresh token: %s, fixed end: %s", instant(t.access-t.a), instant(t.refresh-t.r),
			instant(t.fixed-t.f)))
}

func (j *judge) differences(t times) {
	var problems []string
	compare := func(what string, fits bool, deadlines, lifetimes int64) {
		if !fits && !near(deadlines, lifetimes) {
			problems = append(problems, fmt.Sprintf("%s: deadlines %d s apart, lifetimes %d s", what, deadlines,
				lifetimes))
		}
	}
	compare("refresh and access token", j.refreshFits(t), t.refresh-t.access, t.r-t.a)
	compare("fixed end and access token", j.fixedFits(t), t.fixed-t.access, t.f-t.a)
	compare("fixed end and refresh token", j.is(ags.Refresh) && j.fixedFits(t) && j.refreshFits(t), t.fixed-t.refresh,
		t.f-t.r)
	j.rule("TOK-12", len(problems) == 0, "deadlines as far apart as the lifetimes, within 2 s",
		first(strings.Join(problems, "; "), "they are"))
}

// order judges TOK-14. Near the fixed end a refresh gives tokens that it cuts short, so there deadlines may meet.
func (j *judge) order(t times) {
	ok := t.access < t.refresh && t.refresh <= t.fixed+toleranceSeconds && t.a < t.r && t.r <= t.f
	expected := "access token before refresh token, and that not after the fixed end"
	if j.is(ags.Refresh) {
		ok = (t.kept || t.access <= t.refresh && t.a <= t.r) && t.refresh <= t.fixed &&
			(t.r <= t.f || near(t.refresh, t.fixed))
		expected += ", or together with it"
	}
	j.rule("TOK-14", ok, expected, fmt.Sprintf("lifetimes %d, %d, %d s; deadlines %s, %s, %s", t.a, t.r, t.f,
		instant(t.access), instant(t.refresh), instant(t.fixed)))
}

// callWindow judges TOK-17 and, after a refresh, REF-09: tokens are issued between the request and the answer. Clocks
// may differ by Known.Skew; a service's own seconds may be rounded, hence the tolerance.
func (j *judge) callWindow(p *tokenPair) {
	exp, ok := p.access.seconds("exp")
	a, also := p.body.Get("expires_in").Int()
	if !ok || !also || a <= 0 || a > maxExp || j.x.Sent.IsZero() || j.x.Received.IsZero() {
		return
	}
	from := j.x.Sent.Add(-j.k.Skew - tolerance).Unix()
	to := j.x.Received.Add(j.k.Skew + tolerance).Unix()
	issued := exp - a
	expected := fmt.Sprintf("from %s to %s", instant(from), instant(to))
	got := instant(issued) + zoneHint(issued, j.x.Sent.Unix())
	inside := issued >= from && issued <= to
	if begin, told := p.access.seconds("nbf"); told && begin > to {
		inside, expected, got = false, expected+", and good at once", got+", and not good before "+instant(
			begin)+" (nbf)"
	}
	j.rule("TOK-17", inside, expected, got)
	if !j.is(ags.Refresh) {
		return
	}
	switch before := j.k.Previous; {
	case before != nil && before.ExpiresIn == a && before.Access.Exp > exp+toleranceSeconds+int64(j.k.Skew/time.Second):
		// another node may have answered
		j.add("REF-09", Broken, "an exp not before that of the token before, "+instant(before.Access.Exp), instant(exp))
	case before != nil && before.ExpiresIn == a && before.Access.Exp == exp && j.timeTells():
		j.add("REF-09", Broken, "an exp after that of the token before, "+instant(before.Access.Exp), instant(exp))
	case !inside || j.timeTells():
		j.rule("REF-09", inside, "exp less expires_in "+expected, got)
	}
}

// timeTells: so much time has passed since the tokens before came that what must not move would be seen to move, and
// the reverse. Within the tolerance a rule about times could not have failed, so it does not hold either: it is not
// evaluated.
func (j *judge) timeTells() bool { return j.k.Previous != nil && j.k.Since > tolerance+time.Second }

// zoneHint names the usual reason for an instant that is off by whole quarters of an hour.
func zoneHint(issued, now int64) string {
	off := issued - now
	if off < 0 {
		off = -off
	}
	quarters := (off + 450) / 900
	if quarters > 0 && quarters <= 56 && near(off, quarters*900) {
		return fmt.Sprintf(" (off by %s: a local time taken for UTC?)", time.Duration(quarters*900)*time.Second)
	}
	return ""
}

// fixedEnd judges TOK-13, REF-10 and REF-11.
func (j *judge) fixedEnd(p *tokenPair) {
	inAccess, ok := p.access.seconds("fixed_exp")
	inRefresh, also := p.refresh.seconds("fixed_exp")
	if ok && also {
		j.rule("TOK-13", near(inAccess, inRefresh), "the same fixed_exp in both tokens",
			instant(inAccess)+" and "+instant(inRefresh))
	}
	if !j.is(ags.Refresh) {
		return
	}
	before := j.k.Previous
	if before != nil && before.Access.FixedExp == 0 {
		fixed := *before
		fixed.Access.FixedExp = before.Refresh.FixedExp
		before = &fixed
	}
	if before != nil && before.Access.FixedExp != 0 && (ok || also) {
		want := before.Access.FixedExp
		held := (!ok || near(inAccess, want)) && (!also || near(inRefresh, want))
		got := instant(inAccess)
		if !ok || also && !near(inRefresh, want) {
			got = instant(inRefresh)
		}
		if !held || j.timeTells() {
			j.rule("REF-10", held, instant(want), got)
		}
	}
	if exp, good := p.refresh.seconds("exp"); good && also {
		j.rule("REF-11", exp <= inRefresh+toleranceSeconds, "not after "+instant(inRefresh), instant(exp))
	}
}

// sharedClaims judges TOK-15: claims that both tokens have are equal; a difference in those outside the core is soft,
// and ver has no say beyond its own requirement's.
func (j *judge) sharedClaims(p *tokenPair) {
	if p.access.claims == nil || p.refresh.claims == nil {
		return
	}
	const expected = "the same claims in both tokens"
	var broken, soft []string
	compared := false
	for _, name := range []string{"accountId", "userId", "deviceId", "tenantId", "ver", "jti", "accountProfileId",
		"sessionControl"} {
		a, r := p.access.claims.Get(name), p.refresh.claims.Get(name)
		if a == nil || r == nil {
			continue
		}
		compared = true
		if strictjson.Equal(a, r) {
			continue
		}
		problem := fmt.Sprintf("%s is %s and %s", name, shown(a), shown(r))
		switch name {
		case "jti", "accountProfileId", "sessionControl":
			soft = append(soft, problem)
		default:
			broken = append(broken, problem)
		}
	}
	switch {
	case len(broken) > 0:
		j.add("TOK-15", Broken, expected, strings.Join(append(broken, soft...), "; "))
	case len(soft) > 0:
		j.add("TOK-15", Soft, expected, strings.Join(soft, "; "))
	case compared:
		j.add("TOK-15", Held, expected, "")
	}
}

// instant shows seconds of the epoch as people and machines read them.
func instant(seconds int64) string {
	text := append(strconv.AppendInt(make([]byte, 0, 48), seconds, 10), " ("...)
	return string(append(time.Unix(seconds, 0).UTC().AppendFormat(text, time.RFC3339), ')'))
}
