package transport

import (
	"errors"
	"io"

	"agstest/internal/delivery"
)

// neverReached tells that the service provably did not get the whole request that a connection carried last, though the
// connection was kept open until then. Nothing of an answer came, and either the connection was closed before all of it
// was written, or the service ended its side before all of it had come. Where a service that has read all of it closes
// without a word, it cannot be told.
func (c *connection) neverReached(err error) bool {
	switch {
	case c.heard:
		return false
	case c.writing:
		return delivery.CutOff(err)
	case !errors.Is(err, io.EOF):
		return false
	}
	return delivery.Unread(c.below.control, c.roundTrip)
}
