package compare_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/compare"
)

// The legs of a side keep as much together as one load does, with instants that count on from the first leg.
func TestHitsOfLegsAreJoined(t *testing.T) {
	var legs []*reports.Load
	for leg := range 3 {
		l := &reports.Load{Run: reports.Run{Start: folderDay.Add(time.Duration(leg) * time.Minute)}}
		for n := range reports.KeptSlow {
			l.Slowest = append(l.Slowest, reports.Hit{Operation: "refresh", Number: uint64(n), Sent: int64(n), Response: int64(1000*n + leg)})
		}
		for n := range 3 * reports.KeptWrong {
			l.Wrong = append(l.Wrong, reports.Wrong{Operation: "refresh", Kind: "status", Times: 700, Hit: &reports.Hit{Operation: "refresh", Kind: "status", Sent: int64(n), CorrelationID: fmt.Sprint(leg, "-", n)}})
		}
		legs = append(legs, l)
	}
	kept := compare.JoinHits(legs)
	require.Len(t, kept.Slowest, reports.KeptSlow)
	assert.EqualValues(t, 49_002, kept.Slowest[0].Response)
	assert.EqualValues(t, 2*time.Minute+49, kept.Slowest[0].Sent)
	places := map[string]int{}
	for _, w := range kept.Wrong {
		places[w.Place]++
		assert.EqualValues(t, 2100, w.Times)
	}
	assert.Equal(t, map[string]int{reports.PlaceFirst: 20, reports.PlaceBetween: 20, reports.PlaceLast: 20}, places)
	assert.Equal(t, "0-0", kept.Wrong[0].Hit.CorrelationID)
	assert.Equal(t, "2-59", kept.Wrong[59].Hit.CorrelationID)
	assert.EqualValues(t, 59, legs[2].Wrong[59].Hit.Sent, "the leg's own is left as it was")
	assert.Nil(t, compare.JoinHits([]*reports.Load{{}}))

	few := &reports.Load{Wrong: []reports.Wrong{{Operation: "set-up", Kind: "identity", Times: 1}}}
	assert.Equal(t, reports.PlaceFirst, compare.JoinHits([]*reports.Load{few}).Wrong[0].Place)
}
