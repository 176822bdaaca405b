package clients

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"agstest/internal/check"
)

// sampler holds what full judgements of a refresh need of the answer before. It is safe for concurrent use.
type sampler struct {
	skew  time.Duration
	first [stepCount]atomic.Int64 // answers of each step that were judged because they were among its first
	ahead atomic.Int64            // pairs kept for the first refreshes
	// shapes are those of answers that were judged and found good, and novel how many were judged because theirs is
	// none of these.
	shapes [stepCount][mostShapes]atomic.Uint64
	novel  atomic.Int64
	mu     sync.Mutex // guards what follows
	pairs  map[uint32]sealedPair
	asked  int // for owners
}

// sealedPair is a pair whose tokens are sealed, where clients are many: of a million 10,000 have one, of more than
// 2 KB each.
type sealedPair struct {
	*check.Pair            // without tokens and claims where they are sealed
	access, refresh []byte // sealed; nil: they are in the pair
}

// among tells whether an answer is one of the first of its step.
func (s *sampler) among(at step) bool {
	first := &s.first[at]
	return first.Load() < judgedFirst && first.Add(1) <= judgedFirst
}

const (
	mostShapes = 32
	// maxNovel bounds the judgements of answers of new shapes: where each answer has one, the sample must do.
	maxNovel = 1000
)

// unlike tells whether an answer is to be judged because no good one of its step had its shape.
func (s *sampler) unlike(at step, shape uint64) bool {
	known := &s.shapes[at]
	for i := range known {
		switch known[i].Load() {
		case shape:
			return false
		case 0:
			return s.novel.Load() < maxNovel && s.novel.Add(1) <= maxNovel
		}
	}
	return false
}

// good takes the shape of an answer that was judged and found good.
func (s *sampler) good(at step, shape uint64) {
	known := &s.shapes[at]
	for i := range known {
		if known[i].CompareAndSwap(0, shape) || known[i].Load() == shape {
			return
		}
	}
}

// early tells whether a pair is kept because the first refreshes are still to come.
func (s *sampler) early() bool {
	return s.first[stepRefresh].Load() < judgedFirst && s.ahead.Load() < judgedFirst && s.ahead.Add(1) <= judgedFirst
}

// keep takes a pair over.
func (s *sampler) keep(n uint32, pair *check.Pair, with *sealer) {
	kept := sealedPair{Pair: pair}
	if !with.plain {
		kept.access, kept.refresh = resealed(nil, with, []byte(pair.AccessToken)), resealed(nil, with,
			[]byte(pair.RefreshToken))
		kept.Pair = &check.Pair{ // what is cloned does not keep the whole answer
			ClientID: strings.Clone(pair.ClientID), AccountID: strings.Clone(pair.AccountID),
			ExpiresIn: pair.ExpiresIn, RefreshExpiresIn: pair.RefreshExpiresIn,
			FixedRefreshExpiresIn: pair.FixedRefreshExpiresIn,
			Issued:                pair.Issued,
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pairs == nil {
		s.pairs = map[uint32]sealedPair{}
	}
	s.pairs[n] = kept
}

// take gives the pair of a client away as it was kept; nil if there is none.
func (s *sampler) take(n uint32, with *sealer) *check.Pair {
	s.mu.Lock()
	kept := s.pairs[n]
	delete(s.pairs, n)
	s.mu.Unlock()
	if kept.access != nil {
		kept.AccessToken, kept.RefreshToken = string(with.open(nil, kept.access)), string(with.open(nil, kept.refresh))
		kept.Access, kept.Refresh = check.ReadClaims(kept.AccessToken), check.ReadClaims(kept.RefreshToken)
	}
	return kept.Pair
}
