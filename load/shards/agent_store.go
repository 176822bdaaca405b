package shards

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"agstest/internal/failure"
)

// The attempts to store a result, and how long each may take. A result is some MB.
const (
	storeAttempts = 3
	storeWithin   = 2 * time.Minute
	storePause    = 2 * time.Second
)

// store puts the result to the results URL, which may be signed for this one use (a presigned URL of an object store).
// The URL is a secret and is in no message. A failure is of the kind failure.Setup; the result is served all the same.
func (a *Agent) store(ctx context.Context, s *standing) error {
	address := strings.ReplaceAll(a.ResultsURL, "{index}", strconv.Itoa(a.Index))
	where := "the results URL"
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		where = u.Host
	}
	var err error
	for attempt := range storeAttempts {
		if attempt > 0 && await(ctx.Done(), storePause, context.Background()) {
			break
		}
		var again bool
		if again, err = a.storeOnce(ctx, address, s.status().Result); err == nil {
			s.stored()
			a.words(s)
			return nil
		}
		if !again {
			break
		}
	}
	return failure.Setupf("the result of the shard could not be stored at %s: %w", where, err)
}

// resultsClient follows no redirect: a result, and an address that may be signed, go nowhere but where they were meant
// to.
var resultsClient = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func (a *Agent) storeOnce(ctx context.Context, address string, result *Result) (again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeWithin)
	defer cancel()
	file, err := os.Open(filepath.Join(a.Folder, resultFile))
	if err != nil {
		return false, errors.New("the packed result cannot be read")
	}
	defer file.Close()
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, address, io.NopCloser(file))
	if err != nil {
		return false, errors.New("the results URL is no address")
	}
	request.ContentLength = result.Bytes
	request.Header.Set("Content-Type", "application/x-tar")
	response, err := resultsClient.Do(request)
	if err != nil {
		var wrapped *url.Error // its text holds the address
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return true, err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20))
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return response.StatusCode >= 500, fmt.Errorf("it was answered %d", response.StatusCode)
	}
	return false, nil
}
