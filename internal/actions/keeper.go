package actions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/journal"
)

// putBackFor bounds how long a run that was ended goes on putting back.
const putBackFor = time.Minute

// Keeper carries orders out and puts back what they change. It is safe for concurrent use.
type Keeper struct {
	environment *environment.Environment
	door        Door
	begin       func() (*journal.Journal, error) // before the first change

	// held while an order is carried out, so that a change and its undoing do not overtake each other
	mu      sync.Mutex
	journal *journal.Journal
	done    int
	closed  bool
}

// NewKeeper makes the keeper of a run. Begin makes its journal when the first change is to be made.
func NewKeeper(e *environment.Environment, door Door, begin func() (*journal.Journal, error)) *Keeper {
	return &Keeper{environment: e, door: door, begin: begin}
}

// Resumed returns the keeper of a run that has ended, for the changes that its journal has left open.
func Resumed(e *environment.Environment, door Door, j *journal.Journal) *Keeper {
	return &Keeper{environment: e, door: door, journal: j}
}

// Can tells whether something can be done and put back. A nil keeper can nothing.
func (k *Keeper) Can(kind Kind) bool { return k != nil && Offered(k.environment, kind) }

// Refusal says why an order must not be carried out: it is about an account that the file does not name, or undoes what
// this keeper has not done, which nothing would put back. Empty: it may be.
func (k *Keeper) Refusal(o Order) string {
	switch o.Kind {
	case VPN, Geo:
		return ""
	}
	if o.AccountID == "" {
		return "it is not known which account is meant (accountId)"
	}
	if !slices.Contains(k.environment.NamedAccounts(), o.AccountID) {
		return "actions touch no account that the environment file does not name (situations: … accountId)"
	}
	if (o.Kind == Reactivate || o.Kind == Enable) && !k.undoes(o) {
		return "somebody else has brought it into its state, and nothing would bring it back there"
	}
	return ""
}

// undoes tells whether an order undoes a change of this keeper.
func (k *Keeper) undoes(o Order) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.journal == nil {
		return false
	}
	for _, open := range k.journal.Open() {
		var undo Order
		if json.Unmarshal(open.Undo, &undo) == nil && undo == o {
			return true
		}
	}
	return false
}

// Do carries an order out, once it is in the journal. Its error names the call and any change that may be left.
func (k *Keeper) Do(ctx context.Context, o Order) ([]string, error) {
	if why := k.Refusal(o); why != "" {
		return nil, errors.New(why)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if k.closed {
		return nil, errors.New("the run has ended, and changes nothing any more")
	}
	undo, has := k.undoOf(o)
	if !has {
		answer, err := k.door(ctx, o)
		if err == nil {
			k.settleFor(o)
		}
		return answer, err
	}
	if k.journal == nil {
		j, err := k.begin()
		if err != nil {
			return nil, err
		}
		k.journal = j
	}
	_, err := k.journal.Note(o.String(), undo)
	if err != nil {
		return nil, err
	}
	k.done++
	// A change is not given up half-way: the platform might carry it out after it was put back. Each door bounds its own
	// time.
	_, err = k.door(context.WithoutCancel(ctx), o)
	if err != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("%w; whether it was done all the same is not known, so it will be put back", err)
	}
	return nil, err
}

// undoOf is the order that puts back what another changes; false: it changes nothing that can be put back.
func (k *Keeper) undoOf(o Order) (Order, bool) {
	undo := o
	switch o.Kind {
	case Suspend, Restrict, Cancel:
		undo.Kind = Reactivate
	case Disable:
		undo.Kind = Enable
	case Limit:
		before, err := strconv.Atoi(k.environment.Actions.Limit.Before)
		if err != nil || before == o.Limit {
			return Order{}, false
		}
		undo.Limit = before
	case VPN, Geo:
		undo.State = k.usual(o.Kind)
		if undo.State == o.State {
			return Order{}, false
		}
	default:
		return Order{}, false
	}
	return undo, true
}

// usual is the state of a switch that is put back.
func (k *Keeper) usual(kind Kind) string {
	if a := k.environment.Actions.ActionOf(string(kind)); a != nil && a.Before != "" {
		return a.Before
	}
	return "on"
}

// settleFor settles what an order has put back.
func (k *Keeper) settleFor(o Order) {
	if k.journal == nil {
		return
	}
	for _, open := range k.journal.Open() {
		var undo Order
		if json.Unmarshal(open.Undo, &undo) == nil && undo == o {
			_ = k.journal.Settle(open.Number) // where that is not noted, it is put back once more
		}
	}
}

// PutBack undoes open changes, the last first, at most once each kind and object. The error names those that could not
// be undone.
func (k *Keeper) PutBack(ctx context.Context) error {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.putBack(ctx)
}

// putBack is PutBack. The caller holds the mutex.
func (k *Keeper) putBack(ctx context.Context) error {
	if k.journal == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), putBackFor) // a run that was ended puts back too
	defer cancel()
	var left []string
	tried := map[Order]error{}
	for _, open := range k.journal.Open() {
		var undo Order
		if json.Unmarshal(open.Undo, &undo) != nil {
			left = append(left, open.Do)
			continue
		}
		err, again := tried[undo]
		if !again {
			_, err = k.door(ctx, undo)
			tried[undo] = err
		}
		if err != nil {
			left = append(left, fmt.Sprintf("to %s: %v", undo, err))
			continue
		}
		if err := k.journal.Settle(open.Number); err != nil {
			left = append(left, err.Error())
		}
	}
	slices.Sort(left)
	if left = slices.Compact(left); len(left) > 0 {
		return failure.Setupf("could not be put back: %s", strings.Join(left, "; "))
	}
	return nil
}

// Close undoes open changes and ends the journal; nothing is changed from then on. The error names those that are left.
// Scenarios may still run, as where another goroutine breaks down: none of them gets in between.
func (k *Keeper) Close(ctx context.Context) error {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	err := k.putBack(ctx)
	if k.journal == nil {
		return err
	}
	return errors.Join(err, k.journal.Close())
}

// Done is how many changes were made.
func (k *Keeper) Done() int {
	if k == nil {
		return 0
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.done
}
