package load

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/load/clients"
	"agstest/load/schedule"
)

func TestGuardRails(t *testing.T) {
	free := &environment.Environment{Name: "lab", URL: "https://lab.example"}
	bounded := &environment.Environment{Name: "staging", Load: environment.Load{MaxRate: "500/s"}}
	protected := &environment.Environment{Name: "prod", URL: "https://api.prod.example", Protected: true, Load: environment.Load{MaxRate: "500/s"}}
	for name, test := range map[string]struct {
		environment *environment.Environment
		workload    string
		peak        float64
		closed      bool
		consent     Consent
		says        string
	}{
		"nothing to guard":             {free, clients.WorkloadRefresh, 1e6, false, Consent{}, ""},
		"below the rate":               {bounded, clients.WorkloadRefresh, 500, false, Consent{}, ""},
		"above the rate":               {bounded, clients.WorkloadRefresh, 501, false, Consent{}, "would send up to 501/s and the environment staging allows 500/s (load.maxRate); lower the rate, or say --override-max-rate"},
		"above the rate, consented":    {bounded, clients.WorkloadRefresh, 5000, false, Consent{OverrideMaxRate: true}, ""},
		"no schedule":                  {bounded, clients.WorkloadRefresh, 0, true, Consent{}, "--rate max sends as fast as it can"},
		"no schedule, consented":       {bounded, clients.WorkloadRefresh, 0, true, Consent{OverrideMaxRate: true}, ""},
		"protected":                    {protected, clients.WorkloadRefresh, 10, false, Consent{}, "the environment prod is protected: a load on it needs its host given back, --yes api.prod.example"},
		"protected, host given back":   {protected, clients.WorkloadRefresh, 10, false, Consent{Yes: []string{"api.prod.example"}}, ""},
		"protected, other host":        {protected, clients.WorkloadRefresh, 10, false, Consent{Yes: []string{"api.dev.example"}}, `--yes says "api.dev.example" and the service of the environment prod is at "api.prod.example"; nothing was sent`},
		"protected, name given back":   {protected, clients.WorkloadRefresh, 10, false, Consent{YesLoad: "prod"}, ""},
		"protected, other name":        {protected, clients.WorkloadRefresh, 10, false, Consent{YesLoad: "Prod"}, `--yes-load says "Prod" and the environment is "prod"; nothing was sent`},
		"protected still has a rate":   {protected, clients.WorkloadRefresh, 501, false, Consent{YesLoad: "prod"}, "allows 500/s"},
		"devices":                      {free, clients.WorkloadSignOnFirst, 10, false, Consent{}, "would create 6,000 devices in lab that stay there; if that is wanted, say --yes lab.example"},
		"devices, name given back":     {free, clients.WorkloadSignOnFirst, 10, false, Consent{YesLoad: "lab"}, ""},
		"devices, other name":          {free, clients.WorkloadSignOnFirst, 10, false, Consent{YesLoad: "yes"}, `--yes-load says "yes" and the environment is "lab"; nothing was sent. Say --yes lab.example`},
		"name given back without need": {free, clients.WorkloadRefresh, 10, false, Consent{YesLoad: "other"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := guard(test.environment, test.workload, test.peak, test.closed, 6000, test.consent)
			if test.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.says)
			assert.Equal(t, failure.Usage, failure.KindOf(err))
		})
	}
	assert.Equal(t, "as many devices as it can", devices(0))
	assert.Equal(t, "1 device", devices(1))
}

func TestSetUpIsNoFasterThanTheRunMayBe(t *testing.T) {
	bounded := &environment.Environment{Load: environment.Load{MaxRate: "20/s"}}
	assert.Equal(t, 20.0, setUpRate(bounded, 10, false, Consent{}, schedule.Shard{}))
	assert.Equal(t, 20.0, setUpRate(bounded, 0, true, Consent{}, schedule.Shard{}))
	assert.Equal(t, 50.0, setUpRate(bounded, 10, false, Consent{OverrideMaxRate: true}, schedule.Shard{}))
	assert.Equal(t, 300.0, setUpRate(&environment.Environment{}, 300, false, Consent{}, schedule.Shard{}))
	assert.Equal(t, 0.0, setUpRate(&environment.Environment{}, 0, true, Consent{}, schedule.Shard{}))
	assert.Equal(t, 5.0, setUpRate(bounded, 10, false, Consent{}, schedule.Shard{Index: 2, Of: 4}), "all shards set up at the same time")
	assert.Equal(t, 12.5, setUpRate(&environment.Environment{}, 10, false, Consent{}, schedule.Shard{Index: 2, Of: 4}))
}
