package tally

// counts holds what happened to the hits of an operation in a part of a run: one second, a window or all of it, of one
// shard or several. The zero value counts nothing. The names are those of the record on the disk.
type counts struct {
	Sent  int64 `json:"sent,omitempty"`
	Right int64 `json:"right,omitempty"`
	Wrong int64 `json:"wrong,omitempty"`
	// cut off by the end of the run; they say nothing about the service
	Interrupted int64 `json:"interrupted,omitempty"`
	Resent      int64 `json:"resent,omitempty"` // sent once more, since they provably never reached the service
	Bytes       int64 `json:"bytes,omitempty"`  // of the bodies of answers
}

// add adds other counts to these.
func (c *counts) add(other counts) {
	c.Sent += other.Sent
	c.Right += other.Right
	c.Wrong += other.Wrong
	c.Interrupted += other.Interrupted
	c.Resent += other.Resent
	c.Bytes += other.Bytes
}

// addTo adds the counts of one map to those of another, by their keys.
func addTo[K comparable](into, from map[K]int64) {
	for key, n := range from {
		into[key] += n
	}
}
