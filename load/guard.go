package load

import (
	"fmt"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/load/clients"
	"agstest/load/schedule"
)

// Consent is the user's permission for a load that could do harm. The zero value consents to nothing.
type Consent struct {
	// OverrideMaxRate lets a run ask for more than load.maxRate of the environment.
	OverrideMaxRate bool
	// Yes are the hosts of services that somebody said yes to: for a protected one, and for sign-ons that create
	// devices.
	Yes []string
	// YesLoad is the name of the environment given back, the older way of saying yes.
	YesLoad string
}

// guard refuses a run that the environment does not allow without consent: one that is faster than load.maxRate, goes
// to a protected environment or creates devices. Closed marks a run without schedule, whose rate nobody knows
// beforehand. Errors are of the kind failure.Usage; nothing is sent.
func guard(e *environment.Environment, workload string, peak float64, closed bool, hits uint64, consent Consent) error {
	if e.Load.MaxRate != "" && !consent.OverrideMaxRate {
		most, err := environment.ParseRate(e.Load.MaxRate)
		if err != nil {
			return failure.Usagef("load.maxRate of %s: %w", e.Name, err)
		}
		switch {
		case closed:
			return failure.Usagef("the environment %s allows %s at most, and a run with --rate max sends as fast as it can; "+
				"give a rate, or say --override-max-rate", e.Name, e.Load.MaxRate)
		case peak > most*(1+1e-9):
			return failure.Usagef("the run would send up to %s and the environment %s allows %s (load.maxRate); lower the "+
				"rate, or say --override-max-rate",
				figures.Rate(peak), e.Name, e.Load.MaxRate)
		}
	}
	if err := e.Refusal("a load on it", consent.Yes, consent.YesLoad); err != nil {
		return err
	}
	if !clients.Creates(workload) || e.Agreed(consent.Yes) || consent.YesLoad == e.Name {
		return nil
	}
	if consent.YesLoad != "" {
		return failure.Usagef(
			"--yes-load says %q and the environment is %q; nothing was sent. Say --yes %s if you mean it",
			consent.YesLoad, e.Name, e.ConsentHost())
	}
	return failure.Usagef("the workload %s would create %s in %s that stay there; if that is wanted, say --yes %s",
		workload, devices(hits), e.Name, e.ConsentHost())
}

func devices(hits uint64) string {
	switch hits {
	case 0:
		return "as many devices as it can"
	case 1:
		return "1 device"
	}
	return fmt.Sprintf("%s devices", figures.Count(int64(hits)))
}

// setUpRate is the rate limit of the calls before the clock starts: as fast as the run itself, which the user asked
// for, at least 50 a second, and never above load.maxRate. All shards of a run set up at the same time, so each has its
// part of these rates; peak is the rate of one shard.
func setUpRate(e *environment.Environment, peak float64, closed bool, consent Consent, shard schedule.Shard) float64 {
	parts := float64(max(1, shard.Of))
	rate := max(50/parts, peak)
	if closed {
		rate = 0 // as fast as it goes, like the run
	}
	if most, err := environment.ParseRate(e.Load.MaxRate); err == nil && !consent.OverrideMaxRate &&
		(rate == 0 || rate > most/parts) {
		rate = most / parts
	}
	return rate
}
