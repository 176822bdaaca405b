package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"agstest/internal/figures"
	"agstest/internal/stats"
	"agstest/reports"
)

const (
	// FewestEarlier is the least number of earlier runs that a verdict needs. Simulation: 10 find +10 % on p50 in 94 % of
	// runs in a shared environment with 6 % false alarms before confirmation, 20 find 97 % with 4 %.
	FewestEarlier = 10
	// defaultWindow is how many of the newest earlier runs are used.
	defaultWindow = 20
)

// HistoryOptions say how a run is compared with earlier ones. The zero value works.
type HistoryOptions struct {
	// Confirm is a second run of the same question and build. Only what both runs show counts as regressed.
	Confirm *reports.Parts
	// Window is how many of the newest earlier runs are used; 0 means 20.
	Window int
	// Baseline names the pinned run up to which earlier runs were taken, for the record: a window that does not move with
	// every run does not learn a slow creep.
	Baseline string
	Rules    Rules
}

// HistoryComparison is one run against earlier runs of the same question.
type HistoryComparison struct {
	Runs []HistoryRun `json:"runs"`           // that were used, the oldest first
	Left []string     `json:"left,omitempty"` // why others were not, in words
	// Unsent are operations of the question that the earlier runs had and the run never sent.
	Unsent   []string        `json:"unsent,omitempty"`
	Advisory bool            `json:"advisory"` // too few runs to fail a build
	Confirm  *reports.Run    `json:"confirm,omitempty"`
	Baseline string          `json:"baseline,omitempty"`
	Rules    Rules           `json:"rules"`
	Metrics  []HistoryMetric `json:"metrics"`
	Errors   []HistoryErrors `json:"errors"`
}

// HistoryRun is one run of the history.
type HistoryRun struct {
	Run      reports.Run                     `json:"run"`
	Verdict  reports.Verdict                 `json:"verdict"`
	Response map[string]reports.EntryFigures `json:"response"`
}

// HistoryMetric is one figure of one operation beside the range of the earlier runs. Times are nanoseconds.
type HistoryMetric struct {
	Operation string          `json:"operation"`
	Metric    string          `json:"metric"` // p50, p95, p99
	Gates     bool            `json:"gates"`  // p99 is shown and judges nothing: its spread between runs is too skewed
	Verdict   reports.Verdict `json:"verdict"`
	Reason    string          `json:"reason"`
	Value     int64           `json:"value"`
	Confirm   int64           `json:"confirm,omitempty"`
	Typical   int64           `json:"typical"` // geometric mean of the earlier runs
	// Low and High are the bounds of an unchanged service in 90 of 100 runs.
	Low  int64 `json:"low"`
	High int64 `json:"high"`
	// Change is relative to Typical.
	Change         float64 `json:"change"`
	Floor          float64 `json:"floor"`
	Slower         float64 `json:"slower"` // probability of a value at least as high
	SlowerAdjusted float64 `json:"slowerAdjusted"`
	Earlier        int     `json:"earlier"`
}

// HistoryErrors is the share of wrong answers of one operation against the highest of the earlier runs. Shares of wrong
// answers are mostly zero, which no bell curve fits: a run is flagged where it is above all earlier ones by more than
// the floor.
type HistoryErrors struct {
	Operation string          `json:"operation"`
	Verdict   reports.Verdict `json:"verdict"`
	Reason    string          `json:"reason"`
	Share     float64         `json:"share"`
	Confirm   float64         `json:"confirm,omitempty"`
	Highest   float64         `json:"highest"` // of the earlier runs
	Floor     float64         `json:"floor"`
}

// CompareHistory compares the load part of a run with earlier runs. Earlier runs that asked another question or another
// host, are partial, not valid or failed are left out and named. A figure is flagged where it lies beyond the t
// prediction limit on the logarithm of the earlier figures, adjusted by Holm's method over all that gate, and over the
// floor; a second run must confirm it. With fewer than 10 earlier runs it is advisory: never regressed.
func CompareHistory(run reports.Parts, earlier []reports.Parts, options HistoryOptions) *Comparison {
	newRun := run.Run()
	c := &Comparison{Schema: ComparisonSchema, Method: WithHistory, New: &newRun}
	c.Run.Kind = "compare"
	rules := options.Rules.WithDefaults()
	h := &HistoryComparison{Rules: rules, Baseline: options.Baseline, Metrics: []HistoryMetric{},
		Errors: []HistoryErrors{}, Runs: []HistoryRun{}}
	c.History = h
	if run.Load == nil {
		c.NotComparable = []string{"The run has no load part."}
		c.settleHistory()
		return c
	}
	c.Wrong = wrongOfNew(nil, run.Load)
	c.NotComparable = untrusted("the run", run.Load)
	question := reports.QuestionOf(run.Load)
	h.choose(earlier, run.Load, question, options.Window)
	h.Advisory = len(h.Runs) < FewestEarlier
	var confirm *reports.Load
	same := false // the confirming run asked the same of the same service
	if options.Confirm != nil {
		confirmRun := options.Confirm.Run()
		h.Confirm = &confirmRun
		confirm = options.Confirm.Load
		switch {
		case confirm == nil:
			c.NotComparable = append(c.NotComparable, "The confirming run has no load part.")
		case confirmRun.ID == newRun.ID:
			c.NotComparable = append(c.NotComparable, "The confirming run is the run itself: it must be a second one.")
		case reports.QuestionOf(confirm) != question:
			c.NotComparable = append(c.NotComparable, "The confirming run asked another question than the run.")
		case confirm.Run.Host() != run.Load.Run.Host():
			c.NotComparable = append(c.NotComparable, "The confirming run was at another host than the run, "+
				confirm.Run.Host()+".")
		default:
			same = true
			c.NotComparable = append(c.NotComparable, untrusted("the confirming run", confirm)...)
		}
	}
	h.Unsent = h.unsent(run.Load)
	h.measure(run.Load, confirm)
	h.measureErrors(run.Load, confirm)
	c.settleHistory()
	c.Lead(nil, run.Load)
	if same {
		c.confirmWrong(confirm)
	}
	return c
}

// unsent names the operations that the question asks for, all earlier runs had and the run never sent.
func (h *HistoryComparison) unsent(load *reports.Load) (names []string) {
	if len(h.Runs) == 0 {
		return nil
	}
	for name := range h.Runs[0].Response {
		lacks := func(r HistoryRun) bool { _, has := r.Response[name]; return !has }
		if o := load.Operations[name]; asksFor(&load.Plan, name) && (o == nil || o.Sent == 0) &&
			!slices.ContainsFunc(h.Runs, lacks) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// choose takes the earlier runs that may be compared with, and says why others may not.
func (h *HistoryComparison) choose(earlier []reports.Parts, load *reports.Load, question string, window int) {
	if window == 0 {
		window = defaultWindow
	}
	left := map[string]int{}
	var order []string
	type identity struct {
		id    string
		start int64
	}
	taken := map[identity]bool{}
	leave := func(reason string) {
		if left[reason] == 0 {
			order = append(order, reason)
		}
		left[reason]++
	}
	for _, stored := range earlier {
		l := stored.Load
		switch {
		case l == nil:
			leave("no load part")
		case l.Run.ID == load.Run.ID && l.Run.Start.Equal(load.Run.Start):
			leave("the run itself")
		case !load.Run.Start.IsZero() && l.Run.Start.After(load.Run.Start):
			leave("later than the run")
		case reports.QuestionOf(l) != question:
			leave("another question")
		case l.Run.Host() != load.Run.Host():
			leave("at another host, " + l.Run.Host())
		case len(untrusted("it", l)) > 0:
			leave("partial or not valid")
		case l.Verdict == reports.Fail || l.Verdict == reports.Error:
			leave("failed its own limits")
		case taken[identity{l.Run.ID, l.Run.Start.UnixNano()}]:
			leave("a copy of another one")
		default:
			taken[identity{l.Run.ID, l.Run.Start.UnixNano()}] = l.Run.ID != ""
			h.Runs = append(h.Runs, HistoryRun{Run: l.Run, Verdict: l.Verdict, Response: reports.FiguresOf(l)})
		}
	}
	slices.SortStableFunc(h.Runs, func(a, b HistoryRun) int { return a.Run.Start.Compare(b.Run.Start) })
	if over := len(h.Runs) - window; over > 0 {
		h.Runs = slices.Clone(h.Runs[over:])
		left["older than the window"] = over
		order = append(order, "older than the window")
	}
	for _, reason := range order {
		h.Left = append(h.Left, fmt.Sprintf("%s: %s", figures.Plural(int64(left[reason]), "run"), reason))
	}
}

func (h *HistoryComparison) measure(load, confirm *reports.Load) {
	var slower, faster, second []float64
	var slowest []int64 // of the earlier runs
	var gating []int
	for _, operation := range load.OperationNames() {
		figures := reports.FiguresOf(load)[operation]
		for _, metric := range []string{"p50", "p95", "p99"} {
			m := HistoryMetric{Operation: operation, Metric: metric, Gates: metric != "p99", Value: figures.Of(metric),
				Floor: h.Rules.Floor.of(metric)}
			var logs []float64
			highest := int64(0)
			for _, run := range h.Runs {
				if value := run.Response[operation].Of(metric); value > 0 {
					logs, highest = append(logs, math.Log(float64(value))), max(highest, value)
				}
			}
			m.Earlier = len(logs)
			expected := stats.Predict(logs)
			if m.Value <= 0 || m.Earlier < 2 {
				m.Verdict, m.Reason = reports.Inconclusive, "There are too few figures to say anything."
				h.Metrics = append(h.Metrics, m)
				continue
			}
			value := math.Log(float64(m.Value))
			m.Typical = int64(math.Round(math.Exp(expected.Mean)))
			m.Low = int64(math.Round(math.Exp(expected.Lower(0.95))))
			m.High = int64(math.Round(math.Exp(expected.Upper(0.95))))
			m.Change = math.Expm1(value - expected.Mean)
			m.Slower = expected.Above(value)
			m.SlowerAdjusted = m.Slower
			if confirm != nil && confirm.Operations[operation] != nil {
				m.Confirm = reports.FiguresOf(confirm)[operation].Of(metric)
			}
			if m.Gates {
				gating, slowest = append(gating, len(h.Metrics)), append(slowest, highest)
				slower, faster = append(slower, m.Slower), append(faster, 1-m.Slower)
				again := math.NaN()
				if m.Confirm > 0 {
					again = expected.Above(math.Log(float64(m.Confirm)))
				}
				second = append(second, again)
			}
			h.Metrics = append(h.Metrics, m)
		}
	}
	slower, faster = stats.Holm(slower), stats.Holm(faster)
	for k, at := range gating {
		m := &h.Metrics[at]
		m.SlowerAdjusted = slower[k]
		h.conclude(m, slowest[k], faster[k], second[k])
	}
	for k := range h.Metrics {
		if m := &h.Metrics[k]; m.Verdict == "" {
			m.Verdict = reports.Observed
			m.Reason = "Shown only: the p99 of single runs spreads too widely to judge by."
		}
	}
}

func (h *HistoryComparison) regressedWords() string {
	for _, m := range h.Metrics {
		if m.Verdict == reports.Regressed && m.Confirm == 0 {
			return "Far worse than the earlier runs: "
		}
	}
	for _, e := range h.Errors {
		if e.Verdict == reports.Regressed && e.Confirm == 0 {
			return "Far worse than the earlier runs: "
		}
	}
	return "Worse than the earlier runs, and a second run confirmed it: "
}

// farBeyond is how many times the least change worth flagging a figure must be off to block without a confirming run:
// half as slow again for a p50, more than twice as slow for a p99, 2.5 points of wrong answers. Less than that is
// confirmed with --confirm. A figure must be as unlikely, too, or farAbove times the highest of the earlier runs, which
// may spread so widely that nothing is unlikely.
const (
	farBeyond = 25
	farAbove  = 4
)

// measureErrors judges the shares of wrong answers.
func (h *HistoryComparison) measureErrors(load, confirm *reports.Load) {
	share := func(right, wrong int64) float64 { return float64(wrong) / math.Max(float64(right+wrong), 1) }
	for _, operation := range load.OperationNames() {
		now := load.Operations[operation]
		e := HistoryErrors{Operation: operation, Share: share(now.Right, now.Wrong), Floor: h.Rules.Floor.Errors}
		earlier := 0
		for _, run := range h.Runs {
			if figures, found := run.Response[operation]; found {
				earlier++
				e.Highest = math.Max(e.Highest, share(figures.Right, figures.Wrong))
			}
		}
		again := math.NaN()
		if confirm != nil && confirm.Operations[operation] != nil {
			again = share(confirm.Operations[operation].Right, confirm.Operations[operation].Wrong)
			e.Confirm = again
		}
		flagged, confirmed := e.Share > e.Highest+e.Floor, again > e.Highest+e.Floor
		switch {
		case earlier < FewestEarlier:
			e.Verdict, e.Reason = reports.Inconclusive, fmt.Sprintf("Advisory: %s, and a verdict needs %d.",
				figures.Plural(int64(earlier), "earlier run"), FewestEarlier)
		case flagged && confirmed:
			e.Verdict, e.Reason = reports.Regressed,
				"More wrong answers than in any earlier run, in this run and the confirming one."
		case math.IsNaN(again) && e.Share > e.Highest+farBeyond*e.Floor:
			e.Verdict, e.Reason = reports.Regressed,
				"So many more wrong answers than in any earlier run that no second run is needed to say so."
		case flagged && !math.IsNaN(again):
			e.Verdict, e.Reason = reports.Inconclusive,
				"More wrong answers than in any earlier run, but not in the confirming one."
		case flagged:
			e.Verdict, e.Reason = reports.Inconclusive,
				"More wrong answers than in any earlier run; a second run must confirm it."
		default:
			e.Verdict, e.Reason = reports.Pass, "Not more wrong answers than earlier runs had."
		}
		h.Errors = append(h.Errors, e)
	}
}

// conclude sets the verdict on one figure. Slowest is the highest of the earlier runs, faster the adjusted probability
// of a figure as low as this one, second that of one as high as the confirming run's, NaN if there is none.
func (h *HistoryComparison) conclude(m *HistoryMetric, slowest int64, faster, second float64) {
	flagged := m.SlowerAdjusted < h.Rules.Level && m.Change > m.Floor
	far := m.Change > farBeyond*m.Floor && (m.SlowerAdjusted < h.Rules.Level/50 || m.Value > farAbove*slowest)
	confirmed := second < h.Rules.Level && float64(m.Confirm) > float64(m.Typical)*(1+m.Floor)
	among := fmt.Sprintf("outside the range of %s", figures.Plural(int64(m.Earlier), "earlier run"))
	switch {
	case m.Earlier < FewestEarlier:
		m.Verdict, m.Reason = reports.Inconclusive, fmt.Sprintf("Advisory: %s, and a verdict needs %d.",
			figures.Plural(int64(m.Earlier), "earlier run"), FewestEarlier)
	case flagged && confirmed:
		m.Verdict, m.Reason = reports.Regressed, fmt.Sprintf("%s, in this run and the confirming one.", upper(among))
	case flagged && math.IsNaN(second) && far:
		m.Verdict, m.Reason = reports.Regressed, fmt.Sprintf("%s, by so much that no second run is needed to say so.",
			upper(among))
	case flagged && !math.IsNaN(second):
		m.Verdict, m.Reason = reports.Inconclusive, fmt.Sprintf("%s in this run, but not in the confirming one.",
			upper(among))
	case flagged:
		m.Verdict, m.Reason = reports.Inconclusive, fmt.Sprintf("%s in this run; a second one must confirm it.",
			upper(among))
	case faster < h.Rules.Level && m.Change < 1/(1+m.Floor)-1:
		m.Verdict, m.Reason = reports.Improved, "Faster than the earlier runs."
	default:
		m.Verdict, m.Reason = reports.Pass, "Within the range of the earlier runs."
	}
}

// judged tells whether there were enough figures for a verdict.
func (m *HistoryMetric) judged() bool { return m.Value > 0 && m.Earlier >= FewestEarlier }

// unjudged lists the figures that should have been judged and could not be.
func (h *HistoryComparison) unjudged() (names []string) {
	for i := range h.Metrics {
		if m := &h.Metrics[i]; m.Gates && !m.judged() {
			names = append(names, m.Operation+" "+m.Metric)
		}
	}
	return names
}

func (c *Comparison) settleHistory() {
	h := c.History
	named := func(verdict reports.Verdict) (names []string) {
		for _, m := range h.Metrics {
			if m.Verdict == verdict && m.Gates && (verdict != reports.Inconclusive || m.judged()) {
				names = append(names, fmt.Sprintf("%s %s %s (%s, expected up to %s)", m.Operation, m.Metric,
					figures.Change(m.Change), figures.Milliseconds(m.Value), figures.Milliseconds(m.High)))
			}
		}
		for _, e := range h.Errors {
			if e.Verdict == verdict && (verdict != reports.Inconclusive || e.Share > e.Highest+e.Floor) {
				names = append(names, fmt.Sprintf("%s errors %s (%.2f %% of answers, earlier at most %.2f %%)",
					e.Operation, figures.Points(e.Share-e.Highest), e.Share*100, e.Highest*100))
			}
		}
		return names
	}
	regressed, open, improved := named(reports.Regressed), named(reports.Inconclusive), named(reports.Improved)
	gates := slices.ContainsFunc(h.Metrics, func(m HistoryMetric) bool { return m.Gates })
	switch {
	case len(c.NotComparable) > 0:
		c.Verdict, c.Reason = reports.NotComparable, "The run cannot be compared with earlier ones: "+strings.Join(
			c.NotComparable, " ")
	case len(h.Runs) == 0:
		c.Verdict, c.Reason = reports.NotComparable, "There is no earlier run of the same question to compare with."
		c.NotComparable = []string{c.Reason}
		c.Advice = append(c.Advice,
			"Collect at least 10 runs with the same environment, workload, schedule and kind of machine.")
	case h.Advisory:
		c.Verdict = reports.Inconclusive
		c.Reason = fmt.Sprintf("There %s %s of the same question, and a verdict needs %d: what is shown is advisory.",
			figures.Verb(len(h.Runs), "is", "are"), figures.Plural(int64(len(h.Runs)), "earlier run"), FewestEarlier)
		c.Advice = append(c.Advice, "Keep the folders of runs until there are 10, better 20.")
	case !gates:
		c.Verdict, c.Reason = reports.Inconclusive, "The run measured nothing that could be judged."
	case len(regressed) > 0:
		c.Verdict, c.Reason = reports.Regressed, h.regressedWords()+strings.Join(regressed, "; ")+"."
	case len(open) > 0:
		c.Verdict, c.Reason = reports.Inconclusive,
			"Worse than the earlier runs in one run, which a second one did not confirm: "+strings.Join(open, "; ")+"."
		if h.Confirm == nil {
			c.Reason = "Worse than the earlier runs, in one run: " + strings.Join(open, "; ") + "."
			c.Advice = append(c.Advice,
				"Run the same load again and give it as the confirming run; only both together fail a build.")
		}
	case len(h.Unsent) > 0:
		c.Verdict, c.Reason = reports.Inconclusive, "The run never sent "+strings.Join(h.Unsent,
			" and ")+", which the earlier ones did."
	case len(h.unjudged()) > 0:
		c.Verdict = reports.Inconclusive
		c.Reason = "Too few figures, here or in the earlier runs, to judge " + strings.Join(h.unjudged(), ", ") + "."
	case len(improved) > 0:
		c.Verdict, c.Reason = reports.Improved, "Faster than the earlier runs: "+strings.Join(improved, "; ")+"."
	default:
		c.Verdict, c.Reason = reports.Pass, fmt.Sprintf("Within the range of %s of the same question.",
			figures.Plural(int64(len(h.Runs)), "earlier run"))
	}
}
