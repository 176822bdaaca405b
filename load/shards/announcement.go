package shards

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// announcement is a line in the output of a shard that nobody can ask.
type announcement struct {
	Turn     int       `json:"turn"`  // counts the lines, from 1
	Clock    int64     `json:"clock"` // the wall clock when it was written, in nanoseconds since 1970
	Status   *Status   `json:"status,omitempty"`
	Progress *Progress `json:"progress,omitempty"` // while it sends
}

const announced = "agstest-shard "

func (n announcement) write(w io.Writer) error {
	text, err := json.Marshal(n)
	if err == nil {
		_, err = fmt.Fprintf(w, "%s%s\n", announced, text)
	}
	return err
}

// readAnnouncement reads a line; false if it is no announcement.
func readAnnouncement(line string) (n announcement, ok bool) {
	text, ok := strings.CutPrefix(line, announced)
	return n, ok && json.Unmarshal([]byte(text), &n) == nil && n.Turn > 0
}
