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
