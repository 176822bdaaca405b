package wire

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"strings"
)

// read takes at most MaxBody bytes of an answer, after taking off a content coding: without an Accept-Encoding in the
// request a service may choose one (RFC 9110 section 12.5.3).
func (c *Client) read(response *http.Response) (body []byte, truncated bool, err error) {
	counted := &countingReader{from: response.Body, left: c.target.MaxBody + 1}
	from, err := decoder(response.Header.Get("Content-Encoding"), counted)
	if errors.Is(err, io.EOF) && counted.read == 0 {
		return nil, false, nil // an empty body has nothing to decode
	}
	if err == nil {
		body, err = io.ReadAll(io.LimitReader(from, c.target.MaxBody+1))
	}
	if int64(len(body)) > c.target.MaxBody || counted.left <= 0 {
		return body[:min(int64(len(body)), c.target.MaxBody)], true, nil
	}
	var coding codingError
	switch {
	case err == nil:
		return body, false, nil
	case errors.As(err, &coding):
		return body, false, err
	case counted.err != nil && !errors.Is(counted.err, io.ErrUnexpectedEOF):
		return body, false, counted.err
	case from != io.Reader(counted) && counted.read == response.ContentLength: // all came, and it is not enough
		return body, false, codingError{strings.ToLower(response.Header.Get("Content-Encoding")), err}
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return body, false, cutError{counted.read, response.ContentLength, err}
	case from != io.Reader(counted):
		return body, false, codingError{strings.ToLower(response.Header.Get("Content-Encoding")), err}
	}
	return body, false, err
}

// decoder takes a content coding off what it reads.
func decoder(coding string, from io.Reader) (io.Reader, error) {
	switch coding = strings.ToLower(strings.TrimSpace(coding)); coding {
	case "", "identity":
		return from, nil
	case "gzip", "x-gzip":
		return gzip.NewReader(from)
	case "deflate":
		return zlib.NewReader(from)
	}
	return nil, codingError{coding, errors.New("unknown content coding")}
}

// Decode takes a content coding (the value of Content-Encoding) off a whole body, and returns at most the given number
// of bytes of it; truncated tells that there were more. Errors are ErrCoding and have words in Explain.
func Decode(coding string, body []byte, most int64) (decoded []byte, truncated bool, err error) {
	if len(body) == 0 {
		return nil, false, nil // an empty body has nothing to decode
	}
	from, err := decoder(coding, bytes.NewReader(body))
	if err == nil {
		decoded, err = io.ReadAll(io.LimitReader(from, most+1))
	}
	if int64(len(decoded)) > most {
		return decoded[:most], true, nil
	}
	if err != nil {
		return nil, false, codingError{strings.ToLower(strings.TrimSpace(coding)), errors.New(err.Error())}
	}
	return decoded, false, nil
}

// countingReader counts what came over the wire and bounds it, because a compressed body can be endless without giving
// a byte.
type countingReader struct {
	from       io.Reader
	read, left int64
	err        error // other than io.EOF
}

func (r *countingReader) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > r.left {
		p = p[:r.left]
	}
	n, err := r.from.Read(p)
	r.read += int64(n)
	r.left -= int64(n)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}
