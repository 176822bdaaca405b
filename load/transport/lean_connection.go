package transport

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// connection is one connection and its buffers.
type connection struct {
	net.Conn
	below     *below // TLS
	reader    *bufio.Reader
	out       []byte        // the request that is being sent
	since     time.Time     // idle since
	rested    time.Duration // idle before the exchange that it is in
	roundTrip time.Duration // how long connecting took
	opened    uint64        // in which generation
	used      bool          // carried an exchange before
	grown     bool          // has a larger buffer than others
	writing   bool          // not all of the request is written
	heard     bool          // something of an answer came
}

// stillOpen looks at an idle connection without waiting: whether the service has closed it, or sent something that
// nobody asked for, which must not become the answer to the next request.
func (c *connection) stillOpen() bool {
	c.below.quiet = true
	_, err := c.reader.Peek(1)
	c.below.quiet = false
	return err == errNothingWaits
}

// grow gives a connection room for long headers, and keeps the bytes read so far.
func (c *connection) grow() {
	begun, _ := c.reader.Peek(c.reader.Buffered())
	c.reader = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(bytes.Clone(begun)), c.Conn), maxHeader)
	c.grown = true
}

// tooLong tells that the headers did not fit into the room that a connection has for them.
func tooLong(err error) bool {
	var small *fasthttp.ErrSmallBuffer
	return errors.As(err, &small)
}

// fasthttp's errors about an answer, in words that quote no part of it.
var (
	errLongHeader = fmt.Errorf("the headers of the answer are longer than %d kB", maxHeader>>10)
	errNoAnswer   = errors.New("what came back is not a valid HTTP/1.1 answer")
	errUpgraded   = errors.New("the service switched to another protocol, which nobody asked for")
	errInterim    = fmt.Errorf("more than %d interim answers came and no answer", maxInterim)
	errLineFeed   = errors.New("what came back is not a valid HTTP/1.1 answer: its lines end in a line feed alone")
	errChunk      = errors.New("the chunked body of the answer is malformed")
)

// plainly puts an error of the connection or of fasthttp into our words. The connection's own words stay as they are.
func (c *connection) plainly(err error) error {
	if begun, _ := c.reader.Peek(c.reader.Buffered()); bytes.HasPrefix(begun, []byte("HTTP/")) &&
		bytes.Contains(begun, []byte("\n\n")) {
		return errLineFeed // more was waited for, until the time was over or the connection was closed
	}
	var operation *net.OpError
	var timeout interface{ Timeout() bool }
	var chunk fasthttp.ErrBrokenChunk
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return io.ErrUnexpectedEOF // fasthttp puts a part of the answer beside it
	case errors.As(err, &operation):
		return operation
	case errors.As(err, &timeout) && timeout.Timeout():
		return err
	case tooLong(err):
		return errLongHeader
	case errors.As(err, &chunk) && strings.Contains(err.Error(), "EOF"):
		return io.ErrUnexpectedEOF
	case errors.As(err, &chunk), strings.Contains(err.Error(), "hex number"): // of the size of a chunk
		return errChunk
	}
	return errNoAnswer
}
