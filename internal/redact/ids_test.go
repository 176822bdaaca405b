package redact_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"agstest/internal/redact"
	"agstest/reports"
)

func TestIDs(t *testing.T) {
	c := &reports.Conformance{Schema: reports.ConformanceSchema, Verdict: reports.Pass, Reason: `device PUB_98765 of 16634411 answered; 1663441123 is a number`}
	c.Scenarios = []reports.Scenario{{ID: "sign_on.feature:9", Reason: `{"accountId":"16634411","client_id": "PUB_98765","username":"dave.miller@example.com","deviceId":null,"a":1}`}}
	c.Notes = []string{"dave.miller@example.com, given-id and /accounts/16634411/devices."}
	redact.IDs(c, []string{"given-id"})
	assert.Equal(t, `device PUB…765 of 16…11 answered; 1663441123 is a number`, c.Reason)
	assert.Equal(t, `{"accountId":"16…11","client_id": "PUB…765","username":"dav…com","deviceId":null,"a":1}`, c.Scenarios[0].Reason)
	assert.Equal(t, "dav…com, gi…id and /accounts/16…11/devices.", c.Notes[0])
	two := &reports.Conformance{Notes: []string{"expected 1663, got 1664"}}
	redact.IDs(two, []string{"1663", "1664"})
	assert.Equal(t, []string{"expected 1…, got 1…~2"}, two.Notes, "two ids stay two")
	assert.Equal(t, "sign_on.feature:9", c.Scenarios[0].ID)
}

// TestIDsThatAreWords: sentences stay readable, and the ids are masked wherever they are said as ids.
func TestIDsThatAreWords(t *testing.T) {
	for text, want := range map[string]string{
		"a demo that may end, and the demo.":                           "a demo that may end, and the demo.",
		"status 200 or 201 to the device and 200 exchanges":            "status 200 or 201 to the device and 200 exchanges",
		`{"accountId":"demo","clientId": "tele", "username":"may"}`:    `{"accountId":"d…","clientId": "t…", "username":"m…"}`,
		`{\"accountId\":\"demo\",\"accountId\":200}`:                   `{\"accountId\":\"d…\",\"accountId\":2…}`,
		`{"demo": "demo", "name":"username","value":"may"}`:            `{"demo": "d…", "name":"username","value":"m…"}`,
		"accountId demo, that of the client; device tele, account may": "accountId d…, that of the client; device t…, account m…",
		"expected \"demo\", got 'tele'":                                "expected \"d…\", got 't…'",
		"GET https://host.example/adm/v1/accounts/demo?x=tele&y=z":     "GET https://host.example/adm/v1/accounts/d…?x=t…&y=z",
		"/adm/v1/accounts/demo/devices and /ags/tele":                  "/adm/v1/accounts/d…/devices and /ags/tele",
		`curl -H 'X-User: demo' -H "X-Device: tele"`:                   `curl -H 'X-User: d…' -H "X-Device: t…"`,
		"the account may go on/demo, and a demo/tele too":              "the account may go on/demo, and a demo/tele too",
	} {
		c := &reports.Conformance{Reason: text}
		redact.IDs(c, []string{"demo", "tele", "may", "200"})
		assert.Equal(t, want, c.Reason)
	}
	x := &reports.Exchange{Operation: "demo", RequestHeader: [][2]string{{"demo", "demo"}, {"X-Mood", "a demo"}}}
	redact.IDs(x, []string{"demo"})
	assert.Equal(t, &reports.Exchange{Operation: "demo", RequestHeader: [][2]string{{"demo", "d…"}, {"X-Mood", "a demo"}}}, x)
}
