package clients

import (
	"crypto/rand"
	"encoding/binary"
	"strconv"
)

// The ways to send a traceparent.
const (
	TraceSampled   = "sampled"   // asks the service to record each trace
	TraceUnsampled = "unsampled" // leaves it to the service which ones it records
)

const headerTraceParent = "traceparent"

// traceParents makes values of the header traceparent (W3C Trace Context section 3.2): for each request a trace of its
// own. Their first half belongs to the run and is drawn anew each time, so that two runs with one seed have different
// traces.
type traceParents struct {
	lead   [19]byte // "00-" and the first half of the trace ids
	low    uint64
	parent uint64
	flags  string
}

func newTraceParents(how string) *traceParents {
	var random [24]byte
	_, _ = rand.Read(random[:]) // never fails
	t := &traceParents{low: binary.BigEndian.Uint64(random[8:]), parent: binary.BigEndian.Uint64(random[16:]),
		flags: "-01"}
	if how == TraceUnsampled {
		t.flags = "-00"
	}
	copy(t.lead[:], "00-")
	copy(t.lead[3:], appendHex(nil, binary.BigEndian.Uint64(random[:])|1)) // no trace id may be all zeros
	return t
}

// of is the traceparent of request n.
func (t *traceParents) of(n uint64) string {
	value := make([]byte, 0, 55)
	value = appendHex(append(value, t.lead[:]...), spread(t.low+n))
	parent := spread(t.parent + n)
	if parent == 0 { // section 3.2.2.4: all zeros is no id
		parent = 1
	}
	value = appendHex(append(value, '-'), parent)
	return string(append(value, t.flags...))
}

// spread is the finalizer of SplitMix64, so that a service that draws traces by their last digits draws evenly.
func spread(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// appendHex appends 16 hexadecimal digits.
func appendHex(dst []byte, x uint64) []byte {
	const digits = "0123456789abcdef"
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, digits[x>>shift&15])
	}
	return dst
}

// unlikeOthers is a short text that no other generator is likely to draw.
func unlikeOthers() string {
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails
	return strconv.FormatUint(uint64(binary.BigEndian.Uint32(random[:])), 36)
}
