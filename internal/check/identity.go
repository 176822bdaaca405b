package check

import (
	"strings"

	"agstest/ags"
	"agstest/internal/strictjson"
)

// identity judges that an answer belongs to the caller: TOK-16, TOK-23, SOST-20, SOST-22, SOST-23, SSO-11, SUB-04,
// REF-12.
func (j *judge) identity(p *tokenPair) {
	j.bodyAndClaims(p)
	j.tenant(p)
	j.deviceClass(p)
	j.client(p)
	j.account(p)
	if j.is(ags.Refresh) {
		j.unchanged(p)
	}
}

// bodyAndClaims judges TOK-16.
func (j *judge) bodyAndClaims(p *tokenPair) {
	var problems []string
	compared := false
	for _, m := range []struct{ member, claim string }{{"accountId", "accountId"}, {"client_id", "deviceId"}} {
		want := p.body.Get(m.member)
		if want.String() == "" {
			continue
		}
		for _, t := range p.both() {
			if v := t.claims.Get(m.claim); v != nil {
				compared = true
				if v.String() != want.Text {
					problems = append(problems, m.member+" is "+strictjson.Brief(want.Text)+", "+m.claim+" of the "+
						t.name+" is "+shown(v))
				}
			}
		}
	}
	if compared {
		j.rule("TOK-16", len(problems) == 0, "accountId and client_id of the body in the tokens",
			strings.Join(problems, "; "))
	}
}

// sameClaim compares a claim of both tokens with a known value; ok is false where neither token has it.
func sameClaim(p *tokenPair, claim, want string) (problem string, ok bool) {
	var problems []string
	for _, t := range p.both() {
		v := t.claims.Get(claim)
		if v == nil {
			continue
		}
		ok = true
		if v.String() != want {
			problems = append(problems, claim+" of the "+t.name+" is "+shown(v))
		}
	}
	return strings.Join(problems, "; "), ok
}

func (j *judge) tenant(p *tokenPair) {
	if j.k.Tenant == "" || j.is(ags.Refresh) {
		return // a refresh keeps the tenant of its session (REF-12)
	}
	if problem, ok := sameClaim(p, "tenantId", j.k.Tenant); ok {
		j.rule("SOST-23", problem == "", "tenantId "+strictjson.Brief(j.k.Tenant), first(problem, "the same"))
	}
}

func (j *judge) deviceClass(p *tokenPair) {
	if j.k.DeviceClass == "" || p.access.claims == nil {
		return
	}
	v := p.access.claims.Get("playoutDeviceClass")
	o := Held
	if v.String() != j.k.DeviceClass {
		o = Soft
	}
	j.add("TOK-23", o, "playoutDeviceClass "+strictjson.Brief(j.k.DeviceClass), shown(v))
}

// client judges that the client_id of the answer is the one that was sent.
func (j *judge) client(p *tokenPair) {
	if j.k.ClientID == "" || j.k.FirstTime {
		return
	}
	id, ok := map[string]string{ags.SignOnWithSessionToken: "SOST-20", ags.SignOn: "SSO-11",
		ags.SubsequentSignOn: "DEV-02"}[j.operation.Name]
	if !ok {
		return
	}
	v := p.body.Get("client_id")
	j.rule(id, v.String() == j.k.ClientID, "client_id "+strictjson.Brief(j.k.ClientID), "client_id is "+shown(v))
}

// account judges that the account of the answer is the wanted one.
func (j *judge) account(p *tokenPair) {
	if j.k.AccountID == "" {
		return
	}
	id, ok := map[string]string{ags.SignOnWithSessionToken: "SOST-22", ags.SubsequentSignOn: "SUB-04",
		ags.SignOn: "SSO-01"}[j.operation.Name]
	if !ok {
		return
	}
	v := p.body.Get("accountId")
	if v == nil {
		return // the members' requirement says so
	}
	j.rule(id, v.String() == j.k.AccountID, "accountId "+strictjson.Brief(j.k.AccountID), "accountId is "+shown(v))
}

// unchanged judges REF-12 against the tokens before the refresh and against what else is known of the client.
func (j *judge) unchanged(p *tokenPair) {
	var before Claims
	if j.k.Previous != nil {
		before = j.k.Previous.Access
	}
	var problems []string
	compared := false
	for _, c := range []struct{ claim, want string }{
		{"accountId", first(before.Account, j.k.AccountID)},
		{"deviceId", first(before.Device, j.k.ClientID)},
		{"userId", before.User},
		{"tenantId", first(before.Tenant, j.k.Tenant)},
	} {
		if c.want == "" {
			continue
		}
		problem, ok := sameClaim(p, c.claim, c.want)
		compared = compared || ok
		if problem != "" {
			problems = append(problems, problem+", before it was "+strictjson.Brief(c.want))
		}
	}
	if compared {
		j.rule("REF-12", len(problems) == 0, "accountId, deviceId, userId and tenantId as before",
			strings.Join(problems, "; "))
	}
}
