package html

import (
	"fmt"
	"strings"
	"time"

	"agstest/internal/figures"
	"agstest/reports"
	"agstest/reports/compare"
)

// staleAA is the age from which a comparison of a build with itself says little of an environment any more.
const staleAA = 30 * 24 * time.Hour

// comparisonTrust returns the reasons for and against believing the verdict.
func comparisonTrust(c *compare.Comparison) []statement {
	var found []statement
	add := func(verdict reports.Verdict, text string) { found = append(found, statement{verdict, text}) }
	if c.Run.Partial != "" {
		add(reports.Invalid, "The comparison ended early and is partial: "+c.Run.Partial)
	}
	if len(c.NotComparable) == 0 {
		add(reports.Pass, "Both sides were asked the same question.")
	}
	for _, reason := range c.NotComparable {
		add(reports.NotComparable, reason)
	}
	oldName, _ := c.Sides()
	for _, side := range []struct {
		name string
		run  *reports.Run
	}{{"the " + strings.ToLower(oldName), c.Old}, {c.NewInside(), c.New}} {
		if side.run != nil && side.run.Mock != nil {
			add(reports.Observed, "The service of "+side.name+" is the built-in mock, not a live one.")
		}
	}
	switch c.Method {
	case compare.TwoRuns:
		if c.Load != nil {
			add(c.Load.Verdict, compare.TwoRunsCaution)
		}
	case compare.WithHistory:
		if h := c.History; h != nil {
			if h.Advisory {
				add(reports.Inconclusive, fmt.Sprintf("%s of the same question: advisory, since a verdict needs %d.",
					figures.Plural(int64(len(h.Runs)), "earlier run"), compare.FewestEarlier))
			} else {
				add(reports.Pass, fmt.Sprintf("%s of the same question were used.",
					figures.Plural(int64(len(h.Runs)), "earlier run")))
			}
			switch {
			case h.Confirm != nil:
				add(reports.Pass, "A second run had to agree before anything counted as regressed.")
			default:
				add(reports.Observed,
					"No confirming run was given, so only what is far beyond all earlier runs can count as regressed.")
			}
		}
	case compare.SideBySide:
		if job := c.Interleaved; job != nil {
			found = append(found, interleavedTrust(job, c.Run.Start)...)
		}
	}
	return found
}

func interleavedTrust(i *compare.Interleaved, now time.Time) []statement {
	var found []statement
	add := func(verdict reports.Verdict, text string) { found = append(found, statement{verdict, text}) }
	switch i.Plan.Placement {
	case compare.SamePlacement:
		add(reports.Pass, "Both builds ran at the same place, so the user says.")
	case compare.Swapped:
		add(reports.Pass, "The builds changed places at half-time.")
	default:
		add(reports.Inconclusive,
			"Where the builds ran was not controlled, so no verdict can be better than inconclusive.")
	}
	measured := 0
	for _, round := range i.Rounds {
		measured += len(round.Pairs)
	}
	whole := measured == i.Plan.Pairs*len(i.Rounds) && measured > 0
	verdict := reports.Pass
	if !whole {
		verdict = reports.Inconclusive
	}
	add(verdict,
		fmt.Sprintf("%s of blocks of %s by turns, in random order (seed %d), the first %s of each block not counted.",
			figures.Plural(int64(measured), "pair"), i.Plan.Block, i.Plan.Seed, i.Plan.Settle))
	switch {
	case len(i.Rounds) > 1:
		add(reports.Pass, "What the first round flagged had to show again in a second one.")
	case !i.Plan.Confirm:
		add(reports.Observed, "No confirming round was asked for.")
	}
	if i.Plan.AA {
		return found
	}
	aa := i.LastAA
	switch {
	case aa == nil:
		add(reports.Observed,
			"It is not known whether this place tells equal builds apart: no comparison of a build with itself was given. Run "+
				"one with: agstest ab --aa")
	case aa.Verdict != reports.Pass:
		add(reports.Warn, fmt.Sprintf("When a build was last compared with itself here (%s), it did not pass: %s",
			figures.Moment(aa.When), aa.Reason))
	default:
		verdict, age := reports.Pass, ""
		if !now.IsZero() {
			age = ", " + ageWords(now.Sub(aa.When)) + " before"
			if now.Sub(aa.When) > staleAA {
				verdict = reports.Warn
			}
		}
		add(verdict,
			fmt.Sprintf("When a build was last compared with itself here (%s%s), it was not told apart; the largest change it "+
				"showed was %s.",
				figures.Moment(aa.When), age, strings.TrimPrefix(figures.Change(aa.Largest), "+")))
	}
	return found
}

// ageWords says how old something is, roughly.
func ageWords(age time.Duration) string {
	switch {
	case age < 2*time.Hour:
		return figures.Plural(max(int64(age/time.Minute), 0), "minute")
	case age < 48*time.Hour:
		return figures.Plural(int64(age/time.Hour), "hour")
	}
	return figures.Plural(int64(age/(24*time.Hour)), "day")
}
