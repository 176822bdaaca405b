package schedule_test

import (
	"fmt"
	"time"

	"agstest/load/schedule"
)

// A minute that rises to 100 hits a second and stays there; the second of two generators sends every other hit.
func Example() {
	rate, err := schedule.ParseRate("100/s")
	if err != nil {
		panic(err)
	}
	whole := schedule.Sequence(
		schedule.Ramp(schedule.Rate{Per: time.Second}, rate, 20*time.Second),
		schedule.Constant(rate, 40*time.Second),
	)
	part := schedule.ShardOf(whole, schedule.Shard{Index: 2, Of: 2})
	fmt.Println(whole)
	fmt.Println(whole.Hits(), "hits,", part.Hits(), "of them here")
	fmt.Println("hit 1,000 is due after", whole.At(1000))
	// Output:
	// ramp 0/s to 100/s over 20s, then constant 100/s for 40s
	// 5000 hits, 2500 of them here
	// hit 1,000 is due after 20s
}
