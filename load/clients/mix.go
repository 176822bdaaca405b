package clients

import (
	"slices"
	"strconv"
	"strings"

	"agstest/internal/failure"
	"agstest/load/schedule"
)

// mixer shares hits out among operations. In every run of as many hits as the shares add up to, each operation comes
// exactly as often as its share says, in an order that depends on the seed: the number of sign-ons of a run is known
// before it starts. A hit is of the same operation whichever shard sends it.
type mixer struct {
	steps  []step
	upTo   []uint64 // cumulative shares
	total  uint64
	factor uint64 // has no divisor in common with total
	seed   uint64
	stride uint64 // between two hits of ours in the whole schedule
	first  uint64 // of them
}

// mixable are the operations that a mix can hold; the others need a client in a certain state.
var mixable = []step{stepSignOn, stepRefresh, stepDiscover}

// Mixable gives the names of the operations that a mix can hold.
func Mixable() []string {
	names := make([]string, len(mixable))
	for i, s := range mixable {
		names[i] = s.String()
	}
	return names
}

// newMixer makes the mixer of one part of a schedule.
func newMixer(mix map[string]int, seed uint64, part schedule.Shard) (*mixer, error) {
	m := &mixer{seed: seed, stride: 1}
	if part.Of > 1 {
		m.stride, m.first = uint64(part.Of), uint64(part.Index-1)
	}
	known := Mixable()
	for _, s := range mixable {
		if share := mix[s.String()]; share > 0 {
			m.steps = append(m.steps, s)
			m.total += uint64(share)
			m.upTo = append(m.upTo, m.total)
		}
	}
	for name, share := range mix {
		if !slices.Contains(known, name) {
			return nil, failure.Usagef("the mix names %q; a mix can hold %s", name, strings.Join(known, ", "))
		}
		if share < 0 {
			return nil, failure.Usagef("the mix gives %s a share below 0", name)
		}
	}
	if m.total == 0 {
		return nil, failure.Usagef("the workload mixed needs a mix, such as signon=1,refresh=9")
	}
	m.factor = scramble(seed)%m.total | 1
	for gcd(m.factor, m.total) != 1 {
		m.factor++
	}
	return m, nil
}

// at is the operation of a hit of our part.
func (m *mixer) at(seq uint64) step {
	seq = seq*m.stride + m.first
	round, position := seq/m.total, seq%m.total
	// Multiplying by a number prime to the total and adding one that differs by round puts every position in one place.
	// The total is at most a few million, so that nothing overflows.
	place := (position*m.factor + scramble(m.seed^round)%m.total) % m.total
	for i, upTo := range m.upTo {
		if place < upTo {
			return m.steps[i]
		}
	}
	return m.steps[len(m.steps)-1]
}

// most returns the largest number of hits of an operation among the given number of hits: anywhere in the schedule, or
// for a shard from its start on.
func (m *mixer) most(s step, hits uint64) uint64 {
	if m.stride > 1 {
		// The part of a shard in each round varies, so it is counted: some nanoseconds for a hit that takes much longer
		// to be sent.
		count := uint64(0)
		for seq := range hits {
			if m.at(seq) == s {
				count++
			}
		}
		return count
	}
	share := m.share(s)
	return hits/m.total*share + min(share, hits%m.total)
}

func (m *mixer) share(s step) uint64 {
	before := uint64(0)
	for i, upTo := range m.upTo {
		if m.steps[i] == s {
			return upTo - before
		}
		before = upTo
	}
	return 0
}

// part is the share of an operation of all hits.
func (m *mixer) part(s step) float64 { return float64(m.share(s)) / float64(m.total) }

// scramble is the finalizer of SplitMix64 (G. L. Steele, D. Lea and C. H. Flood, "Fast splittable pseudorandom number
// generators", 2014).
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// ParseMix reads the shares of a mixed workload, such as signon=1,refresh=9. Its errors are of the kind failure.Usage;
// the workload checks the names.
func ParseMix(text string) (map[string]int, error) {
	mix := map[string]int{}
	sum := 0
	for part := range strings.SplitSeq(text, ",") {
		name, share, found := strings.Cut(strings.TrimSpace(part), "=")
		name = strings.TrimSpace(name)
		if !found || name == "" {
			return nil, failure.Usagef("the mix %q is not a list of name=share: write it like signon=1,refresh=9", text)
		}
		n, err := strconv.Atoi(strings.TrimSpace(share))
		if err != nil || n < 0 || n > 1_000_000 {
			return nil, failure.Usagef("the mix %q: the share of %s is not a whole number from 0 to 1000000", text,
				name)
		}
		if _, twice := mix[name]; twice {
			return nil, failure.Usagef("the mix %q names %s twice", text, name)
		}
		mix[name], sum = n, sum+n
	}
	if sum == 0 {
		return nil, failure.Usagef("the mix %q gives every operation a share of 0: nothing would be sent", text)
	}
	return mix, nil
}
