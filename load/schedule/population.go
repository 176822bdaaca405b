package schedule

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/load/hit"
)

// Population is a number of users whose apps are open, and their requests in steady state. The zero value is no
// population.
type Population struct {
	Clients int
	// AccessLifetime is how long an access token is good for: each client refreshes once in that time. 0 means an hour,
	// as in the sample of the page "Signing in with a session token".
	AccessLifetime time.Duration
	// SessionLifetime is after which time no refresh helps any more (fixed_refresh_expires_in) and a client signs on
	// again. 0 means 30 days, as in that sample.
	SessionLifetime time.Duration
	// Peak multiplies both rates, for the busiest hour; 0 means 1.
	Peak float64
}

func (p Population) withDefaults() Population {
	if p.AccessLifetime == 0 {
		p.AccessLifetime = time.Hour
	}
	if p.SessionLifetime == 0 {
		p.SessionLifetime = 30 * 24 * time.Hour
	}
	if p.Peak == 0 {
		p.Peak = 1
	}
	return p
}

// Check refuses a population that cannot be. Its errors are of the kind failure.Usage.
func (p Population) Check() error {
	p = p.withDefaults()
	switch {
	case p.Clients < 1:
		return failure.Usagef("a population of %d is none; give --population a number of clients", p.Clients)
	case p.AccessLifetime < time.Second:
		return failure.Usagef(
			"access tokens that last %s are not possible; give --access-lifetime a second or more, such as 1h",
			p.AccessLifetime)
	case p.SessionLifetime < p.AccessLifetime:
		return failure.Usagef(
			"sessions of %s end before their access tokens of %s; give --session-lifetime more than --access-lifetime",
			p.SessionLifetime, p.AccessLifetime)
	case !(p.Peak > 0) || math.IsInf(p.Peak, 0):
		return failure.Usagef(
			"a peak of %g times the steady rate is not possible; give --peak a number above 0, such as 3", p.Peak)
	}
	return nil
}

// Rates are the refreshes and sign-ons a second: 1,000,000 clients with access tokens of an hour refresh 278 times a
// second (LOAD-07).
func (p Population) Rates() (refreshes, signOns float64) {
	p = p.withDefaults()
	clients := float64(p.Clients) * p.Peak
	return clients / p.AccessLifetime.Seconds(), clients / p.SessionLifetime.Seconds()
}

// Rate is both together.
func (p Population) Rate() Rate {
	refreshes, signOns := p.Rates()
	return RateOf(refreshes + signOns)
}

// Mix is the shares of refreshes and sign-ons, for the workload mixed: whole numbers, as small as they can be within a
// hundredth of the rates.
func (p Population) Mix() map[string]int {
	refreshes, signOns := p.Rates()
	for share := 1; ; share++ {
		exact := refreshes / signOns * float64(share)
		whole := max(1, math.Round(exact))
		if math.Abs(whole/exact-1) <= 0.01 {
			return map[string]int{hit.OpRefresh: int(whole), hit.OpSignOn: share}
		}
	}
}

// Schedule is when the hits of a population are due: users are many and independent of each other, so that their
// arrivals are a Poisson process (the Palm-Khintchine theorem), which is the jitter of the real world.
func (p Population) Schedule(length time.Duration, seed uint64) Schedule {
	return populationSchedule{poissonProcess(p.Rate(), length, seed), p}
}

// populationSchedule is the arrivals of a population; it says whose they are.
type populationSchedule struct {
	Schedule
	population Population
}

func (s populationSchedule) String() string {
	return fmt.Sprintf("%s, as Poisson arrivals for %s", s.population, shortDuration(s.Length()))
}

// shortDuration returns a duration without the zeros that time.Duration writes at its end, such as 1h.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// String describes the population in words.
func (p Population) String() string {
	p = p.withDefaults()
	refreshes, signOns := p.Rates()
	text := fmt.Sprintf("population of %s with access tokens of %s: %s refreshes and %s sign-ons",
		figures.Count(int64(p.Clients)), shortDuration(p.AccessLifetime), figures.Rate(refreshes),
		figures.Rate(signOns))
	if p.Peak != 1 {
		text += ", " + strconv.FormatFloat(p.Peak, 'f', -1, 64) + " times the steady rate"
	}
	return text
}
