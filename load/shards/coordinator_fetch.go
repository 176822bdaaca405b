package shards

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"agstest/internal/failure"
	"agstest/load/schedule"
	"agstest/load/tally"
)

const (
	// stalledAfter is how long a fetch may bring nothing before it is begun again where it stands.
	stalledAfter = 20 * time.Second
	// elsewhereWithin is for a look into the log, and for a results URL.
	elsewhereWithin = time.Minute
	logEvery        = 5 * time.Second
	driftTrips      = 5
)

var (
	errNotYet   = errors.New("its load is not over")
	errNoResult = errors.New("it has no result")
)

// download is a result on its way into a file, which goes on where it broke off.
type download struct {
	folder string
	index  int
	file   *os.File
	want   Result
	got    int64
}

// begin makes the file, anew where the result is another one than before.
func (d *download) begin(want Result) error {
	if d.file != nil && d.want == want {
		return nil
	}
	d.want = want
	return d.restart()
}

func (d *download) restart() error {
	d.close()
	file, err := os.CreateTemp(d.folder, ".shard-"+strconv.Itoa(d.index+1)+"-*.tar")
	if err != nil {
		return err
	}
	d.file, d.got = file, 0
	return nil
}

// close removes the file: its content was unpacked, or is of no use.
func (d *download) close() {
	if d.file != nil {
		_ = d.file.Close()
		_ = os.Remove(d.file.Name())
		d.file = nil
	}
}

// whole checks the size and hash of the download.
func (d *download) whole() error {
	if d.got != d.want.Bytes {
		return fmt.Errorf("%d of %d bytes of its result came", d.got, d.want.Bytes)
	}
	if _, err := d.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, d.file); err != nil {
		return err
	}
	if hex.EncodeToString(hash.Sum(nil)) != d.want.SHA256 {
		if err := d.restart(); err != nil {
			return err
		}
		return errors.New("its result came damaged")
	}
	_, err := d.file.Seek(0, io.SeekStart)
	return err
}

// fetchFrom fetches the result of a shard from the shard itself, once. ErrNotYet means that there is none yet,
// errNoResult that there will be none. AtLeisure means that the shard is not about to go, so that there is time to read
// its clock.
func (r *conductor) fetchFrom(ctx context.Context, s *shard, d *download, atLeisure bool) error {
	var status Status
	if err := s.get(ctx, PathState, &status); err != nil {
		return err
	}
	s.heardPhase(status.Phase)
	switch {
	case status.Result != nil:
	case status.Phase == PhaseFailed:
		return fmt.Errorf("%w: %s", errNoResult, because(status.Error))
	default:
		return fmt.Errorf("%w: it is %s", errNotYet, status.Phase)
	}
	if atLeisure {
		select {
		case r.fetch <- struct{}{}:
			defer func() { <-r.fetch }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := d.begin(*status.Result); err != nil {
		return err
	}
	if err := s.fill(ctx, d); err != nil {
		return err
	}
	if err := d.whole(); err != nil {
		return err
	}
	if err := r.unpack(s, d.file); err != nil {
		return err
	}
	if atLeisure {
		r.drift(ctx, s)
	}
	_ = s.post(ctx, PathAck, Ack{SHA256: d.want.SHA256}, nil) // without it the shard waits for a while and ends
	return nil
}

// fill reads the rest of a result into the file.
func (s *shard) fill(ctx context.Context, d *download) (err error) {
	if d.got == d.want.Bytes {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var still atomic.Bool
	defer func() {
		if still.Load() && err != nil {
			err = fmt.Errorf("nothing more of its result came for %s", stalledAfter)
		}
	}()
	request, err := s.request(ctx, http.MethodGet, PathResult, nil)
	if err != nil {
		return err
	}
	if d.got > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", d.got))
		request.Header.Set("If-Range", `"`+d.want.SHA256+`"`)
	}
	stalled := time.AfterFunc(stalledAfter, func() {
		defer failure.Guard()
		still.Store(true)
		cancel()
	})
	defer stalled.Stop()
	answer, err := s.client.Do(request)
	if err != nil {
		return plain(err)
	}
	defer answer.Body.Close()
	if hash := answer.Header.Get(headerSHA256); hash != d.want.SHA256 {
		return fmt.Errorf("it answered with status %d and no result of the hash that it had told", answer.StatusCode)
	}
	switch {
	case answer.StatusCode == http.StatusOK:
		if d.got > 0 {
			if err := d.restart(); err != nil {
				return err
			}
		}
	case answer.StatusCode == http.StatusPartialContent && strings.HasPrefix(answer.Header.Get("Content-Range"),
		fmt.Sprintf("bytes %d-", d.got)):
	default:
		return fmt.Errorf("it answered with status %d to the request for its result", answer.StatusCode)
	}
	room := make([]byte, 64<<10)
	for {
		n, err := answer.Body.Read(room)
		stalled.Reset(stalledAfter)
		if d.got+int64(n) > d.want.Bytes {
			_ = d.restart()
			return errors.New("more came than its result is long")
		}
		if _, wrong := d.file.WriteAt(room[:n], d.got); wrong != nil {
			return wrong
		}
		d.got += int64(n)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return plain(err)
		}
	}
}

// unpack puts a result where it belongs.
func (r *conductor) unpack(s *shard, result io.Reader) error {
	folder := filepath.Join(r.Folder, ShardsFolder, strconv.Itoa(s.index+1))
	if err := Unpack(result, folder); err != nil {
		return err
	}
	s.facts.Folder = folder
	return nil
}

// ShardsFolder is the folder of the shards below that of their run.
const ShardsFolder = "shards"

// drift reads the clock of a shard once more.
func (r *conductor) drift(ctx context.Context, s *shard) {
	if s.clock.Bound == 0 { // it was never read: the run was begun by another coordinator
		return
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout/2)
	defer cancel()
	if later, err := s.readClock(ctx, driftTrips, r.now); err == nil {
		s.facts.ClockDrift = later.Offset - s.clock.Offset
	}
}

// elsewhere looks for a result that a shard may have left elsewhere, when the shard does not give it.
func (r *conductor) elsewhere(ctx context.Context, s *shard, last error) {
	interrupted := ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), elsewhereWithin)
	defer cancel()
	address := strings.TrimSpace(string(r.work.Secrets[r.plan.ResultsURL]))
	var sight seen
	for {
		sight, _ = r.view.of(s.index)
		if content, _, err := r.fromLog(ctx, s); err == nil && r.unpack(s, bytes.NewReader(content)) == nil {
			s.facts.Way = WayLog
			return
		}
		if r.plan.ResultsURL != "" && address != "" && r.fromURL(ctx, s, address, readEnding(sight.Message)) == nil {
			s.facts.Way = WayURL
			return
		}
		// A shard that is still there writes its result into the log when nobody has come for it for a while; a node that
		// does not answer gives no log either.
		if sight.State.over() || sight.State == Unsure || interrupted || pause(ctx, logEvery) != nil {
			break
		}
	}
	s.facts.Trouble = r.whyLost(s, last)
	if last := readEnding(sight.Message); last != nil && last.Stored {
		s.facts.Trouble += "; its result is at the results URL, from where it can be fetched, unpacked and merged by hand"
	}
}

func (r *conductor) fromLog(ctx context.Context, s *shard) ([]byte, *Result, error) {
	log, err := r.Engine.Log(ctx, r.work.Run, s.index, LogOptions{})
	if err != nil {
		return nil, nil, err
	}
	defer log.Close()
	return readFrame(log, s.index)
}

// fromURL reads a result back from where the shard had put it. An address that is signed for putting only refuses that.
func (r *conductor) fromURL(ctx context.Context, s *shard, address string, ending *Ending) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.ReplaceAll(address, "{index}",
		strconv.Itoa(s.index)), nil)
	if err != nil {
		return failure.Setupf("the results URL is no address")
	}
	answer, err := resultsClient.Do(request)
	if err != nil {
		return failure.Setupf("the results URL does not answer")
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the results URL answered with status %d", answer.StatusCode)
	}
	d := &download{folder: r.Folder, index: s.index}
	defer d.close()
	if err := d.restart(); err != nil {
		return err
	}
	hash := sha256.New()
	if d.got, err = io.Copy(io.MultiWriter(d.file, hash), io.LimitReader(answer.Body, maxUnpacked)); err != nil {
		return err
	}
	// The address may hold the result of another run. The shard's own word about its result decides, or else the
	// result's word about itself.
	told := ending != nil && ending.Result != nil
	if told && ending.Result.SHA256 != hex.EncodeToString(hash.Sum(nil)) {
		return errors.New("what the results URL holds is not the result of this shard")
	}
	if _, err := d.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := r.unpack(s, d.file); err != nil || told {
		return err
	}
	l, err := tally.ReadRecord(s.facts.Folder)
	if err == nil && l.Run.ID == r.work.Run &&
		l.Shard == (schedule.Shard{Index: s.index + 1, Of: len(r.shards)}).String() {
		return nil
	}
	err = errors.Join(errors.New("what the results URL holds is not the result of this shard"),
		os.RemoveAll(s.facts.Folder))
	s.facts.Folder = ""
	return err
}
