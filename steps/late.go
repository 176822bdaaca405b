package steps

import (
	"context"
	"sync"
	"time"

	"agstest/internal/check"
)

// latest is how long a run waits for what only time shows: a second longer than the tolerance of times, and a little for rounding.
const latest = 3200 * time.Millisecond

// late is the one refresh of a run on a live service that comes seconds after the sign-on. It is sent once, and each scenario that asks for
// such a refresh looks at it, so that all of them wait at the same time.
type late struct {
	mutex    sync.Mutex
	exchange *exchange
	known    check.Known
	client   client
	err      error
	done     bool
}

// refreshLater refreshes when times that must differ do.
func (w *world) refreshLater(ctx context.Context) error {
	if err := w.holdsTokens(); err != nil {
		return err
	}
	if w.run.control != nil {
		if err := w.letPass(ctx, time.Minute); err != nil {
			return err
		}
		return w.refresh(ctx)
	}
	if w.run.options.Patience < latest {
		return lacking("", "it takes %s of waiting to see, and --patience allows %s", latest, w.run.options.Patience)
	}
	l := w.run.late
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.done {
		if l.err != nil {
			return l.err
		}
		c := l.client
		w.add(&c)
		w.record(l.exchange.copied(), l.known, true)
		return w.doubt(ctx, l.exchange, false)
	}
	if err := pause(ctx, time.Until(w.client.since.Add(latest))); err != nil {
		return err
	}
	l.err, l.done = w.refresh(ctx), true
	if ctx.Err() != nil {
		l.done = false
		return ctx.Err()
	}
	if x, err := w.last(); err == nil {
		l.exchange, l.known, l.client = x.copied(), x.known, *w.client
	}
	return l.err
}

// copied is an exchange for another scenario, without what the judge found.
func (x *exchange) copied() *exchange { return &exchange{Exchange: x.Exchange, request: x.request} }
