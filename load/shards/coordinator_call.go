package shards

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"agstest/internal/failure"
)

// callTimeout is for one call to the control interface of a shard, with connecting to it through the engine.
const callTimeout = 10 * time.Second

// maxStatus is more than any answer of the control interface but a result.
const maxStatus = 1 << 20

// refusal is an answer of a shard with a status that is not 200 or 204.
type refusal struct {
	status int
	said   Status
}

func (r *refusal) Error() string {
	if r.said.Error != "" {
		return r.said.Error
	}
	return fmt.Sprintf("it answered with status %d", r.status)
}

// newClient makes a client that reaches one shard through the engine. Connections are kept while they last.
func newClient(e Engine, run string, index int) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn,
				error) {
				return e.Dial(ctx, run, index)
			},
			MaxIdleConnsPerHost: 1,
			IdleConnTimeout:     30 * time.Second,
			DisableCompression:  true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (s *shard) get(ctx context.Context, path string, out any) error {
	return s.call(ctx, http.MethodGet, path, nil, out)
}

func (s *shard) post(ctx context.Context, path string, in, out any) error {
	return s.call(ctx, http.MethodPost, path, in, out)
}

// call makes one call of the control interface; in and out may be nil. Errors are in words, without the address, which
// says nothing.
func (s *shard) call(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	request, err := s.request(ctx, method, path, body)
	if err != nil {
		return err
	}
	answer, err := s.client.Do(request)
	if err != nil {
		return plain(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxStatus))
	if err != nil {
		return plain(err)
	}
	if answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusNoContent {
		r := &refusal{status: answer.StatusCode}
		_ = json.Unmarshal(text, &r.said)
		return r
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("its answer to %s is not what an agstest shard says: %w", path, err)
	}
	return nil
}

func (s *shard) request(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://shard"+path, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	return request, nil
}

// plain takes method and address out of an error of net/http, and the kind: that a shard was not reached now says
// nothing of a moment later, as when its pod runs and it does not listen yet.
func plain(err error) error {
	var wrapped interface {
		error
		Unwrap() error
		Timeout() bool
	}
	if errors.As(err, &wrapped) && strings.Contains(wrapped.Error(), "http://shard/") {
		if inner := wrapped.Unwrap(); inner != nil {
			if errors.Is(inner, context.DeadlineExceeded) {
				return errors.New("no answer came in time")
			}
			err = inner
		}
	}
	if failure.KindOf(err) == failure.Internal {
		return err
	}
	return unreached{err}
}

// unreached is an error on the way to a shard without its kind.
type unreached struct{ err error }

func (u unreached) Error() string { return u.err.Error() }

func (u unreached) Is(target error) bool {
	return (target == context.Canceled || target == context.DeadlineExceeded) && errors.Is(u.err, target)
}

// asKind gives an error the kind that an exit code of a shard stands for.
func asKind(exit int, format string, args ...any) error {
	switch failure.Kind(exit) {
	case failure.Usage:
		return failure.Usagef(format, args...)
	case failure.Internal:
		return fmt.Errorf(format, args...)
	}
	return failure.Setupf(format, args...)
}
