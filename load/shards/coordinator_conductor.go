package shards

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"agstest/internal/failure"
	"agstest/internal/figures"
)

// conductor is one run.
type conductor struct {
	*Coordinator
	work   *Work
	plan   Plan
	hash   string
	view   *view
	shards []*shard
	now    func() time.Time
	fetch  chan struct{} // holds a token for each fetch under way

	collecting bool        // somebody else started the shards
	discarded  atomic.Bool // the shards were removed in order to stop them

	toldTimes map[string]Times // that were told last; guarded by telling

	watching context.CancelFunc
	watched  sync.WaitGroup
}

// shard is the coordinator's knowledge of one shard.
type shard struct {
	index  int
	token  string
	client *http.Client
	output *output // nil where it is asked

	clock clockOffset
	start time.Time // by our clock; zero: it was not told yet
	facts Shard

	mutex    sync.Mutex    // guards what follows
	phase    Phase         // as it last said
	progress Progress      // as it last said
	newsUpTo time.Duration // of its load, up to which its wrong answers were told
	heard    time.Time     // when that was
	noted    bool          // its load is over
	over     chan struct{}
}

func (c *Coordinator) newConductor(ctx context.Context, work *Work, plan Plan, hash string) *conductor {
	r := &conductor{Coordinator: c, work: work, plan: plan, hash: hash, view: newView(work.Shards), now: steadyClock(),
		fetch: make(chan struct{}, maxFetchesAt)}
	for i := range work.Shards {
		r.shards = append(r.shards, &shard{
			index: i, token: strings.TrimSpace(string(work.Secrets[TokenFile])), client: newClient(c.Engine, work.Run,
				i),
			facts: Shard{Index: i + 1, Of: work.Shards}, over: make(chan struct{}),
		})
	}
	if r.alone() {
		for _, s := range r.shards {
			s.output = newOutput()
		}
	}
	// The coordinator watches a shard after an interrupt too, until everything is home.
	watch, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.watching = cancel
	sights := c.Engine.Watch(watch, work.Run)
	r.watched.Go(func() {
		defer failure.Guard()
		r.view.follow(sights)
	})
	for _, s := range r.shards {
		if s.output == nil {
			continue
		}
		r.watched.Go(func() {
			defer failure.Guard()
			r.listen(watch, s)
		})
	}
	return r
}

// end releases all that the conductor holds.
func (r *conductor) end() {
	r.watching()
	r.watched.Wait()
	for _, s := range r.shards {
		s.client.CloseIdleConnections()
	}
}

// conduct is a run from the moment everything is made.
func (r *conductor) conduct(ctx context.Context, created time.Time) (*Outcome, error) {
	start, err := r.start(ctx, created)
	if err != nil {
		return nil, err
	}
	r.tell("%s send from %s on, for %s", figures.Plural(len(r.shards), "shard"), start.Format(time.TimeOnly),
		r.plan.Duration.Round(time.Second))
	return r.run(ctx, start, start.Add(r.plan.Duration))
}

// each does work for every shard, at most atOnce at a time. The first error ends ctx for the others, and each returns
// it.
func (r *conductor) each(ctx context.Context, atOnce int, work func(context.Context, *shard) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var once sync.Once
	var first error
	room := make(chan struct{}, atOnce)
	var group sync.WaitGroup
	for _, s := range r.shards {
		group.Add(1)
		room <- struct{}{}
		go func() {
			defer group.Done()
			defer failure.Guard()
			defer func() { <-room }()
			if err := work(ctx, s); err != nil {
				once.Do(func() {
					first = err
					cancel()
				})
			}
		}()
	}
	group.Wait()
	return first
}

// name returns the name of a shard for people, such as shard 3/8 on node b.
func (r *conductor) name(s *shard) string {
	text := fmt.Sprintf("shard %d/%d", s.index+1, len(r.shards))
	if sight, _ := r.view.of(s.index); sight.Node != "" {
		text += " on node " + sight.Node
	}
	return text
}
