package load

import (
	"cmp"
	"time"

	"agstest/load/clients"
	"agstest/load/schedule"
	"agstest/load/transport"
)

// Asked is what a run asks for, of all shards together, as far as it is known before anything is sent.
type Asked struct {
	Schedule string        // in words
	Length   time.Duration // of the schedule
	Longest  time.Duration // after which nothing more is sent; longer than Length for a storm, whose clients try again
	Hits     uint64        // 0: not known, in a closed loop
	Peak     float64       // highest rate in hits a second; 0: not known, in a closed loop
	Timeout  time.Duration // of one exchange: the longest time until the exchange sent last has ended too
	Clients  int           // that take part
	SetUp    int           // about how many requests come before the clock starts
	Devices  uint64        // that are created at most, and stay
}

// Check refuses the options that Run would refuse before it sends anything, with the same error (of the kind
// failure.Usage). Shards is the number of shards of the run; 1 is a run of its own. Check sends nothing.
func Check(o Options, shards int) (*Asked, error) {
	whole := o
	whole.Shard = schedule.Shard{}
	p, err := whole.plan()
	if err != nil {
		return nil, err
	}
	takePart, setUp := 0, 0
	for _, index := range narrowest(shards, p.hits()) {
		part := o
		part.Shard = schedule.Shard{Index: index, Of: shards}
		prepared, err := Prepare(part)
		if err != nil {
			return nil, err
		}
		takePart, setUp = shards*prepared.Crowd().Size(), shards*prepared.Crowd().SetUpCalls()
	}
	asked := &Asked{
		Clients: takePart, SetUp: setUp,
		Schedule: p.words, Length: p.length, Longest: p.length, Hits: p.hits(), Timeout: cmp.Or(o.Timeout,
			o.Environment.Timeout, transport.DefaultTimeout),
	}
	switch {
	case p.storm != nil:
		asked.Longest, asked.Peak = p.storm.GivesUpAfter(), p.storm.Peak()
	case p.whole != nil:
		asked.Peak = p.whole.Peak()
	}
	if clients.Creates(o.Workload) {
		asked.Devices = asked.Hits
	}
	return asked, nil
}

// narrowest are the shards that have the fewest clients for their hits, so that the others do where these do: hits and
// clients are dealt out from the first shard on, which makes them the last one of all, and the last one of those that
// send a hit more.
func narrowest(shards int, hits uint64) []int {
	if more := int(hits % uint64(max(1, shards))); more > 0 {
		return []int{more, shards}
	}
	return []int{shards}
}
