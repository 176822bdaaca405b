//go:build linux

package gateways_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"agstest/internal/gateways"
	"agstest/load/schedule"
)

// chance tells that who loses a request is chance. Over plain HTTP a gateway that closes while a request is already in
// its system's hands resets the connection, and nothing tells that from one that has read it. Apache closes kept
// connections under many requests too, where it ends processes that it has too many of. Of a few requests a minute none
// is under way when a gateway is reloaded.
func (c trial) chance(program gateways.Program) bool {
	return c.rate.Per == time.Second && (c.reloads > 0 || program == gateways.Apache)
}

// mostWrong is how many answers of load may be wrong beside so many of Vegeta's, where each is lost by itself.
func mostWrong(program gateways.Program, c trial, theirs, sent int64) int64 {
	most := theirs
	if c.chance(program) {
		most += 2 + int64(3*math.Sqrt(2*float64(most))) // three times the spread of two counts that are the same on the average
	}
	if (program == gateways.Squid || program == gateways.Lighttpd) && c.rate.Per == time.Minute {
		// They end a connection whose time is over when the next request comes, which they have read. Two of them tell the
		// time-out.
		most = max(most, 2)
	}
	if c.reloads > 0 && !wide {
		most = max(most, sent/50) // on any machine: the comparison itself is that of make gateways
	}
	return most
}

// beyondChance tells that load lost more than Vegeta for a reason of its own. Requests are lost together, several in one
// reload, so that reloads are counted and not requests. If neither is better, the one that lost more in a reload might
// as well have been the other: then the sum of the differences is more than three times the root of the sum of their
// squares by chance less than twice in a thousand trials.
func beyondChance(more []int) bool {
	sum, squares := 0, 0
	for _, d := range more {
		sum += d
		squares += d * d
	}
	return float64(sum) > 3*math.Sqrt(float64(squares))
}

// TestWhatIsChance: beside none of Vegeta's, two of load's are chance in one run. More are, where they come in few
// reloads, or where Vegeta loses as many in others; one in each reload is a loss of load's own.
func TestWhatIsChance(t *testing.T) {
	t.Parallel()
	reloads, quiet := trial{reloads: 5, rate: schedule.Rate{Per: time.Second}}, trial{rate: schedule.Rate{Per: time.Second}}
	const small = 20 // sent, so that the wider bound of a quick run says nothing
	assert.EqualValues(t, 0, mostWrong(gateways.Nginx, quiet, 0, small))
	assert.EqualValues(t, 2, mostWrong(gateways.Apache, quiet, 0, small))
	assert.EqualValues(t, 2, mostWrong(gateways.HAProxy, reloads, 0, small))
	assert.EqualValues(t, 69+2+35, mostWrong(gateways.Squid, reloads, 69, small))

	assert.False(t, beyondChance(make([]int, 30)))
	assert.False(t, beyondChance([]int{5, 0, 0, 3, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0}), "a few reloads that lost several each")
	assert.False(t, beyondChance([]int{3, -2, 4, -3, 1, -1, 0, 2, -4, 3, 2, -1, 0, 3, -2}))
	assert.True(t, beyondChance(slices.Repeat([]int{1}, 10)), "one in each")
	assert.True(t, beyondChance(slices.Repeat([]int{2, 0, 5, 1, 0, 3}, 5)), "a loss in most")
}
