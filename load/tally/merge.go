package tally

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/load/unique"
	"agstest/reports"
)

// maxApart is how far apart the clocks of shards may have started for them to be one schedule.
const maxApart = time.Second

// Merge makes one report of the shards of one run from the records in their folders. Histograms and counts add up
// exactly, seconds are aligned at each shard's start, and the run is as valid as its worst shard. Merge refuses shards
// of different questions. It names the missing parts of a run, which make the report partial and inconclusive. Values
// that must be unique must be so over all shards. Errors are of the kind failure.Usage.
func Merge(folders ...string) (*reports.Load, error) { return MergeOptions{}.Merge(folders...) }

// Merge merges shards as the function Merge does, with what the coordinator knows of them beside their records.
func (o MergeOptions) Merge(folders ...string) (*reports.Load, error) {
	if len(folders) == 0 {
		return nil, failure.Usagef("there is nothing to merge; name the folders of the shards")
	}
	var shards []*shardRecord
	defer func() {
		for _, s := range shards {
			s.file.Close()
		}
	}()
	for _, folder := range folders {
		s, err := openShard(folder)
		if err != nil {
			return nil, err
		}
		shards = append(shards, s)
	}
	for _, s := range shards[1:] {
		if err := sameQuestion(shards[0], s); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(shards, func(a, b *shardRecord) int { return a.index - b.index })
	for i, s := range shards[1:] {
		if s.index == shards[i].index {
			return nil, failure.Usagef("%s and %s are both shard %s; name each shard once", shards[i].folder, s.folder,
				s.name())
		}
	}
	return mergeShards(shards, o)
}

// shardRecord is the record of one shard, read second by second.
type shardRecord struct {
	folder string
	file   *os.File
	reader *recordReader
	index  int
	own    *Ledger // of this shard alone
	next   *Frame  // read and not yet merged; nil: there are no more
	last   Frame   // merged last

	figures *reports.Load // of this shard alone, when all is read
}

func openShard(folder string) (*shardRecord, error) {
	path := filepath.Join(folder, RecordFile)
	file, err := os.Open(path)
	if err != nil {
		return nil, failure.Usagef("cannot read the record of a shard: %w", err)
	}
	reader, err := newRecordReader(file)
	if err != nil {
		file.Close()
		return nil, failure.Usagef("cannot read %s: %w", path, err)
	}
	s := &shardRecord{folder: folder, file: file, reader: reader}
	if n, err := fmt.Sscanf(reader.head.Report.Shard, "%d/%d", &s.index, new(int)); n != 2 || err != nil ||
		reader.head.Of < 2 {
		file.Close()
		return nil, failure.Usagef("%s is a run of its own and no shard (--shard 2/8); it cannot be merged with others",
			folder)
	}
	s.own = newBriefLedger(reader.head.Report.Plan.Closed)
	if err := s.read(); err != nil {
		file.Close()
		return nil, failure.Usagef("cannot read %s: %w", path, err)
	}
	return s, nil
}

func (s *shardRecord) name() string { return s.reader.head.Report.Shard }

// read takes the next second from the record. A record that is cut ends there.
func (s *shardRecord) read() error {
	s.next = nil
	f, err := s.reader.frame()
	switch {
	case err == io.EOF || errors.Is(err, errCut):
		return nil
	case err != nil:
		return err
	}
	for i := range f.Slow {
		s.date(&f.Slow[i])
	}
	for i := range f.Wrong {
		if h := f.Wrong[i].Hit; h != nil {
			s.date(h)
		}
	}
	s.next = f
	return s.own.Add(f)
}

// date sets the time at which a hit was sent by the clock of the shard's machine, as the logs there have it.
func (s *shardRecord) date(h *reports.Hit) {
	h.SentAt = s.reader.head.Began.Add(time.Duration(h.Sent))
}

// sameQuestion refuses shards that are not parts of one run.
func sameQuestion(a, b *shardRecord) error {
	x, y := &a.reader.head, &b.reader.head
	p, q := &x.Report.Plan, &y.Report.Plan
	for _, c := range []struct {
		what string
		a, b any
	}{
		{"number of shards", x.Of, y.Of}, {"workload", p.Workload, q.Workload}, {"schedule", p.Schedule, q.Schedule},
		{"seed", p.Seed, q.Seed}, {"options", cmp.Or(p.Options(), "none"), cmp.Or(q.Options(), "none")},
		{"version of agstest", x.Report.Run.Tool.Version, y.Report.Run.Tool.Version},
		{"environment", x.Report.Run.Environment, y.Report.Run.Environment}, {"address", x.Report.Run.URL, y.Report.Run.URL},
		{"tenant", x.Report.Run.Tenant, y.Report.Run.Tenant}, {"service", x.Report.Run.Service, y.Report.Run.Service},
		{"release", cmp.Or(x.Report.Run.Release, "not named"), cmp.Or(y.Report.Run.Release, "not named")},
	} {
		if c.a != c.b {
			return failure.Usagef("%s and %s are not shards of one run: the %s is %v in one and %v in the other",
				a.folder, b.folder, c.what, c.a, c.b)
		}
	}
	switch {
	case !maps.Equal(p.Mix, q.Mix):
		return failure.Usagef("%s and %s are not shards of one run: their mixes differ", a.folder, b.folder)
	case !slices.Equal(x.Limits, y.Limits):
		return failure.Usagef("%s and %s are not shards of one run: their limits differ", a.folder, b.folder)
	case !slices.Equal(x.Operations, y.Operations):
		return failure.Usagef("%s and %s are not shards of one run: their operations differ", a.folder, b.folder)
	}
	return nil
}

func mergeShards(shards []*shardRecord, o MergeOptions) (*reports.Load, error) {
	head := shards[0].reader.head
	report := *head.Report
	report.Plan.Hits, report.Plan.Clients, report.Plan.Workers = 0, 0, 0
	report.Shard = ""
	ahead := map[string]time.Duration{}
	for _, k := range o.Known {
		ahead[k.Shard] = time.Duration(k.ClockAhead)
	}
	first, latest := head.Began.Add(-ahead[shards[0].name()]), head.Began.Add(-ahead[shards[0].name()])
	for _, s := range shards {
		h := s.reader.head
		began := h.Began.Add(-ahead[s.name()]) // on one clock
		report.Shards = append(report.Shards, s.name())
		report.Plan.Hits += h.Report.Plan.Hits
		report.Plan.Clients += h.Report.Plan.Clients
		report.Plan.Workers += h.Report.Plan.Workers
		if began.Before(first) {
			first = began
		}
		if began.After(latest) {
			latest = began
		}
	}
	report.Run.Start, report.Run.End = first, time.Time{}
	report.Run.Command = nil

	l := NewLedger(head.Operations, report.Plan.Closed).Draws(&report.Plan)
	end := &Ending{}
	var adding adder
	for {
		together, err := adding.nextSecond(shards)
		if err != nil {
			return nil, err
		}
		if together == nil {
			break
		}
		if err := l.Add(together); err != nil {
			return nil, failure.Usagef("the records of the shards cannot be merged: %w", err)
		}
	}
	if l.frames == 0 {
		return nil, failure.Usagef("the records of the shards hold no second of the run")
	}

	// The run is as valid as its worst shard, and as whole as all of them.
	whole := head.Whole
	if whole == 0 { // a record of before
		whole = head.Report.Plan.Hits * int64(head.Of)
	}
	report.ShardRuns = shardRuns(shards, head.Of, whole, o.Known)
	end.Partial = partialSentence(report.ShardRuns, report.Plan.Closed)
	if len(shards) < head.Of && !report.Plan.Closed {
		report.Plan.Hits = whole // what was asked for
	}
	for _, s := range shards {
		s.say(end, &report.ShardRuns[s.index-1], head.Limits)
	}
	end.Notes = append(append(remarks(report.ShardRuns), o.Notes...), end.Notes...)
	if apart := latest.Sub(first); apart > maxApart {
		end.Invalid = append(end.Invalid,
			fmt.Sprintf("the shards started up to %s apart, so that they were not one schedule; use --start-at",
				figures.Elapsed(apart)))
	}
	left := make([]*unique.Left, len(shards))
	for i, s := range shards {
		left[i] = &unique.Left{Name: s.name(), Folder: s.folder, Watching: s.reader.head.Seen, Ended: s.own.end != nil}
	}
	union := unique.Across(left, head.Of)
	l.hits.others = append(l.hits.others, union.Wrong...)
	end.Notes = append(end.Notes, union.Notes...)
	if end.Partial == "" {
		end.Partial = union.Unchecked
	}
	l.end = end
	l.Finish(&report, head.Limits)
	return &report, nil
}

// say adds what one shard says of itself to the end of the whole: why its figures are not valid, its remarks, its storm
// and its set-up.
func (s *shardRecord) say(end *Ending, run *reports.ShardRun, limits []string) {
	if run.State == reports.ShardComplete || run.Sent > 0 {
		s.figures.Limits = nil
		for _, expression := range limits { // limits that the lag may have decided are judged on the whole
			s.figures.Limits = append(s.figures.Limits, reports.Limit{Expression: expression})
		}
		reasons := &end.Invalid
		if onlyHeld(s.figures) {
			reasons = &end.held
		}
		for _, reason := range invalid(s.figures, nil) {
			*reasons = append(*reasons, fmt.Sprintf("shard %s: %s", s.name(), reason))
		}
	}
	if s.own.end != nil {
		for _, note := range s.own.end.Notes {
			end.Notes = append(end.Notes, fmt.Sprintf("shard %s: %s", s.name(), note))
		}
		end.Invalid = append(end.Invalid, s.own.end.Invalid...)
		end.Storm = addStorm(end.Storm, s.own.end.Storm)
		end.Judging = end.Judging.Add(s.own.end.Judging)
		if from := s.own.end.SetUp; from != nil {
			end.SetUp = from.Add(end.SetUp)
		}
	}
}

// addStorm: the whole population is back when the last part of it is.
func addStorm(a, b *reports.Storm) *reports.Storm {
	if a == nil || b == nil {
		if a == nil {
			a, b = b, a
		}
		return a
	}
	sum := &reports.Storm{Clients: a.Clients + b.Clients, Retries: a.Retries + b.Retries, Away: a.Away + b.Away,
		Recovered: max(a.Recovered, b.Recovered)}
	if a.Recovered < 0 || b.Recovered < 0 {
		sum.Recovered = -1
	}
	return sum
}

// nextSecond merges the earliest second that any shard has left; nil if there is none.
func (a *adder) nextSecond(shards []*shardRecord) (*Frame, error) {
	second := -1
	for _, s := range shards {
		if s.next != nil && (second < 0 || s.next.Second < second) {
			second = s.next.Second
		}
	}
	if second < 0 {
		return nil, nil
	}
	var parts []*Frame
	for _, s := range shards {
		for s.next != nil && s.next.Second == second {
			s.last = *s.next
			parts = append(parts, s.next)
			if err := s.read(); err != nil {
				return nil, failure.Usagef("the record in %s cannot be merged: %w", s.folder, err)
			}
		}
	}
	sum, err := a.addFrames(second, parts)
	if err != nil {
		return nil, failure.Usagef("the records of the shards cannot be merged: %w", err)
	}
	// Counts since the start add up over the shards as each of them stands now.
	sum.Health.GC = nil
	for _, s := range shards {
		h := &s.last.Health
		sum.Due += s.last.Due
		sum.Health.Elapsed = max(sum.Health.Elapsed, h.Elapsed)
		sum.Health.Sending = max(sum.Health.Sending, h.Sending)
		sum.Health.MaxInFlight += h.MaxInFlight
		sum.Health.AtCap += h.AtCap
		sum.Health.Starved += h.Starved
		sum.Health.StoodStill = max(sum.Health.StoodStill, h.StoodStill)
		sum.Health.Behind += h.Behind
		sum.Health.CPU += h.CPU
		sum.Health.CPUs += h.CPUs
		sum.Health.StartLate = max(sum.Health.StartLate, h.StartLate)
		sum.Health.Throttled += h.Throttled
		sum.Health.ThrottledTimes += h.ThrottledTimes
		if time.Duration(h.ClockStep).Abs() > time.Duration(sum.Health.ClockStep).Abs() {
			sum.Health.ClockStep = h.ClockStep
		}
	}
	return sum, nil
}
