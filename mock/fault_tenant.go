package mock

import (
	"agstest/ags"
)

// tenantFaults mix up tenants: a name that nobody has, or that of another tenant, is as good as the right one.
func tenantFaults() []Fault {
	all := []Fault{
		{Name: "tenant-of-tokens", Requirement: "SOST-23", Summary: "tokens of the second tenant name the first", operations: on(ags.SignOnWithSessionToken),
			draft: func(_ *call, d *draft) {
				if d.grant.tenant == secondTenant {
					d.claims.set("tenantId", firstTenant)
				}
			}},
		{Name: "tenant-of-refreshed-tokens", Requirement: "FLOW-11", Summary: "refreshed tokens of the second tenant name the first", operations: on(ags.Refresh),
			draft: func(_ *call, d *draft) {
				if d.grant.tenant == secondTenant {
					d.claims.set("tenantId", firstTenant)
				}
			}},
		othersToo("tenant-users-mixed", "FLOW-11", "credentials of one tenant are good in every tenant", ags.SignOn,
			ruleCredentials),
		othersToo("tenant-installers-mixed", "FLOW-11", "credentials of one tenant register in every tenant", ags.Register,
			ruleCredentials),
		othersToo("tenant-user-tokens-mixed", "FLOW-11", "User-Tokens of one tenant are good in every tenant",
			ags.SubsequentSignOn, ruleUserTokenKnown),
		othersToo("tenant-operators-mixed", "GST-10", "an OperatorAuthToken of one tenant is good in every tenant",
			ags.GetSessionToken, ruleOperatorTenant),
		{Name: "tenant-claims-known", Requirement: "GST-10", Summary: "an OperatorAuthToken of any tenant that exists is accepted", operations: on(ags.GetSessionToken),
			near: []nearness{{nearOperTenant, nil, func(given, _ string) bool { return given == secondTenant }}}},
	}
	for _, at := range []struct{ name, operation, requirement string }{
		{"session-sign-on", ags.SignOnWithSessionToken, "FLOW-11"}, {"sign-on", ags.SignOn, "FLOW-11"},
		{"subsequent-sign-on", ags.SubsequentSignOn, "FLOW-11"},
		{"get-session-token", ags.GetSessionToken, "GST-10"}, {"refresh", ags.Refresh, "FLOW-11"},
		{"sign-out", ags.SignOut, "FLOW-11"},
		{"register", ags.Register, "FLOW-11"}, {"subsequent-register", ags.SubsequentRegister, "FLOW-11"},
	} {
		all = append(all, lax("tenant-unknown-"+at.name, at.requirement,
			"a tenant that nobody knows is taken for the first at "+at.operation, on(at.operation), ruleTenant))
	}
	for _, at := range []struct{ name, operation, requirement string }{
		{"session-sign-on", ags.SignOnWithSessionToken, "FLOW-11"}, {"sign-on", ags.SignOn, "FLOW-11"},
		{"get-session-token", ags.GetSessionToken, "GST-10"},
	} {
		all = append(all, Fault{Name: "odd-tenant-" + at.name, Requirement: at.requirement,
			Summary: "a tenant in letters of other scripts is taken for the first at " + at.operation,
			near: []nearness{{nearTenant, on(at.operation),
				func(given, right string) bool { return right == firstTenant && oddValue("scripts")(given) }}}})
	}
	return all
}

// othersToo accepts at any tenant values that are good at the first.
func othersToo(name, requirement, summary, operation string, reason rule) Fault {
	return wrongRefusal(name, requirement, summary, on(operation), func(c *call, r *reply) {
		again := &call{server: c.server, set: c.set, operation: c.operation, request: c.request.Clone(c.request.Context()),
			endpoint: c.endpoint, raw: c.raw}
		again.request.Header.Set(ags.HeaderTenant, firstTenant)
		answer := map[string]func(*call) reply{ags.SignOn: c.server.signOn, ags.Register: c.server.register,
			ags.SubsequentSignOn: c.server.subsequentSignOn,
			ags.GetSessionToken:  c.server.getSessionToken}[operation](again)
		if answer.refused == "" {
			*r = answer
		}
	}, reason)
}
