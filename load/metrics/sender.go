package metrics

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"agstest/internal/failure"
	"agstest/internal/wire"
)

const (
	exportEvery  = 10 * time.Second
	exportWithin = 5 * time.Second  // one request
	lastWithin   = 10 * time.Second // the last one with all its tries
	maxAnswer    = 4 << 10          // bytes that are read of an answer
	maxLastTry   = 3
	longestAgain = 5 * time.Second // that a collector may ask to wait for before the next try of the last one
)

// Destination is the receiver of metrics by OTLP over HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp).
type Destination struct {
	URL         string      // ends in /v1/metrics; Endpoint makes it
	Header      http.Header // of each request; may hold secrets, which are never told
	Temporality Temporality
	Every       time.Duration // 0: 10s
	Resource    Resource
	TLS         *tls.Config // nil: the roots of the system
	Now         func() time.Time
}

// Endpoint returns the address for metrics of the given base address of a collector: it ends in /v1/metrics. Errors are
// of the kind failure.Usage.
func Endpoint(given string) (string, error) {
	u, err := url.Parse(given)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", failure.Usagef("the address of a collector must be a URL such as https://otlp.example.com or "+
			"http://127.0.0.1:4318, not %q", shorn(given))
	}
	if u.User != nil {
		return "", failure.Usagef("the address of a collector must hold no password, which process lists show; give a " +
			"header from a variable instead")
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return "", failure.Usagef(
			"the address of a collector must have neither a query nor a fragment; what is secret goes into a header")
	}
	if !strings.HasSuffix(u.Path, "/v1/metrics") {
		u.Path = strings.TrimRight(u.Path, "/") + "/v1/metrics"
	}
	return u.String(), nil
}

// shorn is an address without what may be secret in it.
func shorn(address string) string {
	if at := strings.LastIndex(address, "@"); at >= 0 {
		address = "…" + address[at:]
	}
	address, _, _ = strings.Cut(address, "?")
	return address
}

// Sender sends sums again and again. A collector's behaviour never touches the run: there is one request at a time,
// each has a few seconds, and Close tells once what could not be sent.
type Sender struct {
	sums   *Sums
	to     Destination
	client *http.Client
	stop   context.CancelFunc
	ended  chan struct{}

	before      time.Time // the export before that arrived
	previous    map[string]operationStanding
	previousDue map[string]int64
	sent        int
	failed      int
	trouble     error // the last one
}

// Send begins to send. Close must be called.
func Send(sums *Sums, to Destination) *Sender {
	if to.Every <= 0 {
		to.Every = exportEvery
	}
	if to.Now == nil {
		to.Now = time.Now
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: to.TLS, MaxIdleConns: 1,
		IdleConnTimeout: time.Minute, TLSHandshakeTimeout: exportWithin, ForceAttemptHTTP2: true}
	s := &Sender{
		sums: sums, to: to, ended: make(
			chan struct{}), before: sums.began, previous: map[string]operationStanding{},
		previousDue: map[string]int64{},
		// Headers may hold a key, and a redirect leads elsewhere.
		client: &http.Client{Transport: transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go func() {
		defer close(s.ended)
		defer failure.Guard()
		s.run(ctx)
	}()
	return s
}

func (s *Sender) run(ctx context.Context) {
	ticker := time.NewTicker(s.to.Every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if s.sums.begun() {
				s.note(s.export(ctx))
			}
		}
	}
}

func (s *Sender) note(_ time.Duration, err error) {
	if err == nil {
		s.sent++
		return
	}
	s.failed++
	s.trouble = err
}

// Close sends the final figures, with a few tries in a few seconds, and waits for the goroutine of the sender. The
// error names figures that did not arrive, in one sentence without a header.
func (s *Sender) Close() error {
	s.stop()
	<-s.ended
	defer s.client.CloseIdleConnections()
	if !s.sums.begun() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastWithin)
	defer cancel()
	var last error
	for try := range maxLastTry {
		again, err := s.export(ctx)
		if last = err; err == nil || again < 0 || try == maxLastTry-1 {
			break
		}
		timer := time.NewTimer(min(longestAgain, max(again, 500*time.Millisecond<<try)))
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			break
		}
	}
	switch {
	case last != nil:
		return fmt.Errorf("the final metrics did not reach %s: %w (%d of %d earlier exports arrived)", s.to.URL, last,
			s.sent, s.sent+s.failed)
	case s.failed > 0 && s.to.Temporality == Delta:
		return fmt.Errorf("%d of %d exports of metrics to %s failed, the last one because of this: %w; what they held came "+
			"with later ones",
			s.failed, s.sent+s.failed+1, s.to.URL, s.trouble)
	case s.failed > 0:
		return fmt.Errorf("%d of %d exports of metrics to %s failed, the last one because of this: %w", s.failed,
			s.sent+s.failed+1, s.to.URL, s.trouble)
	}
	return nil
}

// export sends all figures at this instant. If it failed, again is after what time another try makes sense; below 0 it
// makes none.
func (s *Sender) export(ctx context.Context) (again time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, exportWithin)
	defer cancel()
	all := s.sums.standings()
	e := export{
		temporality: s.to.Temporality, began: s.sums.began, before: s.before, now: s.to.Now(), workload: s.sums.workload,
		previous: s.previous, previousDue: s.previousDue,
	}
	body, err := proto.Marshal(e.request(s.to.Resource, all))
	if err != nil {
		return -1, err
	}
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, _ = zip.Write(body) // into memory
	_ = zip.Close()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.to.URL, &packed)
	if err != nil {
		return -1, err
	}
	maps.Copy(request.Header, s.to.Header)
	request.Header.Set("Content-Type", "application/x-protobuf")
	request.Header.Set("Content-Encoding", "gzip")
	request.Header.Set("User-Agent", "agstest/"+s.to.Resource.Version)
	answer, err := s.client.Do(request)
	if err != nil {
		return 0, plain(err)
	}
	defer answer.Body.Close()
	// so that the connection can be kept; the body may repeat a header
	_, _ = io.CopyN(io.Discard, answer.Body, maxAnswer)
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return retryAfter(answer, s.to.Now()), fmt.Errorf("it answered %d %s", answer.StatusCode,
			http.StatusText(answer.StatusCode))
	}
	s.before = e.now
	for i := range all {
		s.previousDue[all[i].side] = all[i].due
		for _, o := range all[i].operations {
			s.previous[all[i].side+"/"+o.name] = o
		}
	}
	return 0, nil
}

// retryAfter is when to try again after a refusal, which may be told in seconds or as a date; below 0: never
// (https://opentelemetry.io/docs/specs/otlp/#failures-1).
func retryAfter(answer *http.Response, received time.Time) time.Duration {
	switch answer.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
	default:
		return -1
	}
	wait, _ := wire.RetryAfter(answer.Header.Get("Retry-After"), answer.Header.Get("Date"), received)
	return min(wait, time.Hour)
}

// plain is the cause of an error of a client, without the address, which is told already.
func plain(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("no answer came in time")
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op
	}
	return err
}
