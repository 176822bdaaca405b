package plan

import (
	"context"
	"sync"
	"time"

	"agstest/internal/failure"
)

// Start runs one job to its end and gives its exit code. When the context ends it ends the job in order and waits for
// it.
type Start func(ctx context.Context, job Job) (code int)

// Conduct runs the jobs that are not Done. Environments run side by side, at most p.Parallel; the jobs of one run one
// after the other; at most p.LoadsAtOnce send a load at the same time. A job that fails stops no other. When the
// context ends, Conduct starts no more jobs and waits for those that run. It calls changed for each change, one at a
// time; progress is in the order of p.Jobs and is changed in place.
func Conduct(ctx context.Context, p *Plan, progress []Progress, start Start, now func() time.Time,
	changed func([]Progress)) {
	var mutex sync.Mutex // guards progress and changed
	set := func(i int, change func(*Progress)) {
		mutex.Lock()
		defer mutex.Unlock()
		change(&progress[i])
		changed(progress)
	}
	loads := make(chan struct{}, max(1, p.LoadsAtOnce))
	places := make(chan struct{}, max(1, p.Parallel))
	run := func(i int) {
		job := progress[i].Job
		if isLoad(job.Command) {
			select {
			case loads <- struct{}{}:
				defer func() { <-loads }()
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			return
		}
		set(i, func(g *Progress) { g.State, g.Begun, g.Over, g.Code = Running, now(), time.Time{}, 0 })
		code := start(ctx, job)
		set(i, func(g *Progress) {
			g.State, g.Code, g.Over = Done, code, now()
			if ctx.Err() != nil && (code == 130 || code == 143 || code < 0) {
				g.State = Ended
			}
		})
	}
	var all sync.WaitGroup
	for _, environment := range p.Environments() {
		all.Go(func() {
			defer failure.Guard()
			select {
			case places <- struct{}{}:
				defer func() { <-places }()
			case <-ctx.Done():
				return
			}
			for i := range progress {
				// nobody else changes these
				if progress[i].Job.Environment == environment && progress[i].State != Done {
					run(i)
				}
			}
		})
	}
	all.Wait()
}
