package wire

import (
	"context"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// lateContext is a context that has not noticed yet that its time is over. It does when one waits for it.
type lateContext struct {
	context.Context
	end    time.Time
	notice func()
}

func (c lateContext) Deadline() (time.Time, bool) { return c.end, true }

func (c lateContext) Done() <-chan struct{} {
	c.notice()
	return c.Context.Done()
}

// TestATimeoutThatTheConnectionNoticesFirstIsOurs: the limit is told, whoever noticed it.
func TestATimeoutThatTheConnectionNoticesFirstIsOurs(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for _, c := range []struct {
		name string
		left time.Duration
		err  error
		want string
	}{
		{"connecting", -time.Millisecond, dial(context.DeadlineExceeded), "no whole answer within 50ms"},
		{"reading", -time.Millisecond, os.ErrDeadlineExceeded, "no whole answer within 50ms"},
		{"another limit", time.Hour, os.ErrDeadlineExceeded, "no whole answer in time"},
		{"no limit", -time.Millisecond, dial(syscall.ECONNRESET), "the service reset the connection"},
	} {
		inner, end := context.WithCancelCause(t.Context())
		late := lateContext{inner, time.Now().Add(c.left), func() { end(timeoutError{after: 50 * time.Millisecond}) }}
		assert.Equal(t, c.want, Explain(causeOf(late, c.err)), c.name)
		end(nil)
	}
}
