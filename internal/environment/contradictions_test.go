package environment

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
)

func TestSituationsThatCannotBothBe(t *testing.T) {
	const head = "url: https://ags.example\ntenant: nagra\n"
	for name, test := range map[string]struct{ text, want string }{
		"device of nobody else": {"situations:\n  active: {clientId: A, accountId: '1'}\n  foreign-device: {clientId: A}\n",
			"env.yaml:5: situations.foreign-device.clientId: is that of situations.active too"},
		"device of no other account": {"situations:\n  active: {clientId: A, accountId: '1'}\n  foreign-device: {clientId: B, accountId: '1'}\n",
			"env.yaml:5: situations.foreign-device.accountId: is that of situations.active too"},
		"device of the operator's": {"operator: {secret: \"${A}\", kid: k, account: '1'}\nsituations: {active: {clientId: A}, foreign-device: {clientId: B, accountId: '1'}}\n", "situations.foreign-device.accountId: is that of situations.active too"},
		"device of the user":       {"situations: {credentials: {clientId: A, parameters: {u: x}}, foreign-device: {clientId: A}}\n", "situations.foreign-device.clientId: is that of situations.credentials too"},
		"disabled and deleted":     {"situations: {disabled-device: {clientId: A}, deleted-device: {clientId: A}}\n", "situations.deleted-device.clientId: is that of situations.disabled-device too"},
		"inactive and active":      {"situations: {active: {clientId: A}, inactive-device: {clientId: A}}\n", "situations.inactive-device.clientId: is that of situations.active too"},
		"account in two states":    {"situations: {active: {accountId: '1'}, suspended-account: {accountId: '1'}}\n", "situations.suspended-account.accountId: is that of situations.active too"},
		"account of the operator":  {"operator: {secret: \"${A}\", kid: k, account: '1'}\nsituations: {active: {clientId: A}, cancelled-account: {accountId: '1'}}\n", "situations.cancelled-account.accountId: is that of situations.active too"},
		"session token":            {"situations: {active: {sessionToken: s-hunter2}, expired-session: {sessionToken: s-hunter2}}\n", "situations.expired-session.sessionToken: is that of situations.active too"},
		"other tenant":             {"situations: {other-tenant: {tenant: nagra, sessionToken: s}}\n", "situations.other-tenant.tenant: is the tenant of everything else"},
		"empty tenant":             {"situations: {other-tenant: {tenant: acme, sessionToken: s}, empty-tenant: {tenant: acme}}\n", "situations.empty-tenant.tenant: is that of situations.other-tenant too"},
		"one and several":          {"situations: {credentials: {parameters: {u: x, password: hunter2}}, multi-account: {parameters: {u: x, password: hunter2}}}\n", "situations.multi-account: has the parameters of credentials"},
		"unknown and known":        {"unknownClientId: A\nsituations: {active: {clientId: A}}\n", "env.yaml:3: unknownClientId: is the clientId of situations.active"},
		"wrong and right":          {"wrongPassword: hunter2\nsituations: {credentials: {parameters: {u: x, password: hunter2}}}\n", "env.yaml:3: wrongPassword: is what situations.credentials.parameters.password says"},
		"header twice":             {"headers: {X-A: '1', x-a: '2'}\n", "headers.x-a: is the header X-A again"},
		"host to fill in":          {"headers: {}\nproxy: http://$PROXY:3128\n", "proxy: must be the address of a proxy"},
		"typographic quotes":       {"service: \u201cOperator SSO\u201d\n", "env.yaml:3: service begins with a typographic quotation mark"},
		"nothing absent":           {"absent: []\n", "env.yaml:3: absent must be a list, such as [register]"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(head+test.text), "env.yaml", ".", variables("A", "a-secret-of-at-least-32-characters"))
			require.ErrorContains(t, err, test.want)
			assert.Equal(t, failure.Usage, failure.KindOf(err))
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestSituationsThatMayBeAlike(t *testing.T) {
	for name, text := range map[string]string{
		"a user's device is the known one":    "situations: {active: {clientId: A, accountId: '1'}, credentials: {clientId: A, accountId: '1', parameters: {u: x}}}\n",
		"disabled and inactive":               "situations: {disabled-device: {clientId: A}, inactive-device: {clientId: A}}\n",
		"ids of two tenants":                  "tenant: nagra\nsituations: {active: {clientId: A, accountId: '1'}, other-tenant: {tenant: acme, clientId: A, accountId: '1', sessionToken: s}}\n",
		"a device of a suspended account":     "situations: {active: {clientId: A, accountId: '1'}, foreign-device: {clientId: B, accountId: '2'}, suspended-account: {accountId: '2'}}\n",
		"a full account that is the known":    "situations: {active: {clientId: A, accountId: '1'}, device-limit: {clientId: A, accountId: '1'}}\n",
		"a deleted device that nobody has":    "unknownClientId: A\nsituations: {deleted-device: {clientId: A}}\n",
		"several kinds of activation, a user": "situations: {registration: {type: a, parameters: {u: x}}, multi-registration: {type: b, parameters: {u: x}}}\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte("url: https://ags.example\n"+text), "env.yaml", ".", variables())
			assert.NoError(t, err)
		})
	}
}

func TestEmptyValuesAreTold(t *testing.T) {
	for text, want := range map[string]string{
		"tenant:\n":                "env.yaml:2: tenant is empty, which is as if it were not there; give it a value, or take it out",
		"service: \"\"\n":          "env.yaml:2: service is empty",
		"protected:\n":             "env.yaml:2: protected is empty",
		"situations:\n  active:\n": "env.yaml:3: situations.active is empty",
		"situations:\n":            "",
		"operator:\n":              "",
		"headers: {X-A: \"\"}\n":   "",
		"situations: {active: {clientId: A, accountId: }}\n": "env.yaml:2: situations.active.accountId is empty",
	} {
		e, err := Parse([]byte("url: https://ags.example\n"+text), "env.yaml", ".", variables())
		require.NoError(t, err, text)
		told := strings.Join(e.Warnings(), "\n")
		if want == "" {
			assert.NotContains(t, told, "is empty", text)
			continue
		}
		assert.Contains(t, told, want, text)
	}
}
