package transport

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/wire"
	"agstest/load/hit"
)

// countingConn counts how often a connection is told of a deadline.
type countingConn struct {
	net.Conn
	told []time.Time
}

func (c *countingConn) SetDeadline(at time.Time) error {
	c.told = append(c.told, at)
	return c.Conn.SetDeadline(at)
}

func TestDeadlinesAreToldNowAndThen(t *testing.T) {
	mine, theirs := net.Pipe()
	defer theirs.Close()
	defer mine.Close()
	c := &countingConn{Conn: mine}
	b := newBelow(c)
	first := time.Now().Add(time.Hour)
	const slack = time.Second
	for i := range 100 { // a hundred exchanges in a second and a little
		require.NoError(t, b.cutOff(first.Add(time.Duration(i)*11*time.Millisecond), slack))
	}
	assert.Equal(t, []time.Time{first.Add(slack), first.Add(1001*time.Millisecond + slack)}, c.told)
	require.NoError(t, b.cutOff(first, slack/256))
	assert.Equal(t, first.Add(slack/256), c.told[2], "an earlier deadline holds at once")
}

// A look at an idle connection leaves a deadline of its own where something waits there.
func TestDeadlineAfterALook(t *testing.T) {
	address := speak(t, func(c net.Conn, in *bufio.Reader) {
		io.WriteString(c, "x")
		read(in)
	})
	raw, err := net.Dial("tcp", address[len("http://"):])
	require.NoError(t, err)
	defer raw.Close()
	b := newBelow(raw)
	require.NoError(t, b.cutOff(time.Now().Add(time.Hour), time.Minute))
	for b.quiet = true; ; {
		if _, err := b.Read(make([]byte, 1)); err == nil {
			break
		}
	}
	assert.Zero(t, b.cut, "the next exchange sets its own")
}

// An answer that comes behind the deadline is a time-out, though the connection is cut off a little later.
func TestAnswerBehindTheDeadline(t *testing.T) {
	server := serve(t, right)
	carrier, err := Connect(t.Context(), wire.Target{URL: server.URL}, Options{Timeout: 256 * time.Hour})
	require.NoError(t, err)
	t.Cleanup(carrier.Close)
	late := hit.Answer{Sent: time.Now()}
	carrier.Exchange(&post, &late, time.Now().Add(-time.Minute), &hit.Phases{})()
	require.Error(t, late.Err)
	assert.Equal(t, hit.KindTimeout, WhyNone(late.Err))
	assert.Zero(t, late.Status)
	assert.Empty(t, late.Body)
	answer, _ := ask(carrier, longest, post)
	require.NoError(t, answer.Err, "in time")
	assert.Equal(t, 200, answer.Status)
}
