package tally

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"
	"time"

	"agstest/internal/failure"
	"agstest/reports"
)

// FuzzReadRecord reads whole blocks with right checksums and any content: as the record of a single run and as that of
// a shard. One line of the text is one block.
func FuzzReadRecord(f *testing.F) {
	head := Head{
		Report:     &reports.Load{Schema: reports.LoadSchema, Shard: "1/2", Plan: reports.Plan{Workload: "refresh", Hits: 4, Seconds: 2}},
		Operations: []string{"refresh"}, Limits: []string{"refresh.p99<300ms", "errors<1%"}, Of: 2, Began: time.Unix(1_800_000_000, 0).UTC(),
	}
	var p Packer
	var times Histogram
	times.Add(1_500_000)
	times.Add(2_500_000)
	second := Frame{Due: 2, Lag: p.Pack(&times), Exchanges: 2, Operations: []operationFrame{{
		Asked: map[int]int64{0: 2}, counts: counts{Sent: 2, Right: 1, Wrong: 1}, Statuses: map[string]int64{"200": 2}, Missed: map[string]int64{"200": 1},
		Kinds: map[string]int64{"identity": 1}, Response: p.Pack(&times), Service: p.Pack(&times),
	}}, Health: Health{Elapsed: 1e9, Sending: 1e9, CPU: 1e7, CPUs: 2}}
	late := reports.Hit{Operation: "refresh", Kind: "identity", Number: 1, Shard: "1/2", Due: 9e8, Sent: 9e8, Response: 2e6, Service: 2e6, Status: 200}
	second.Slow = []reports.Hit{{Operation: "refresh", Shard: "1/2", Sent: 5e8, Response: 1e6, Service: 1e6}, late}
	second.Wrong = []reports.Wrong{{Operation: "refresh", Kind: "identity", Message: "of another", Hit: &late}, {Operation: "set-up", Kind: "token"}}
	second.Operations[0].Why = map[string]int64{"identity/200": 1}
	last := second
	last.Second, last.Due, last.Health.Elapsed = 1, 4, 2e9
	last.Clients = []clientsFrame{{Kind: "identity", Clients: 1, Most: []reports.ClientTimes{{Client: "client 1", Times: 1}}}}
	last.End = &Ending{Notes: []string{"one"}, Storm: &reports.Storm{Clients: 2, Recovered: 1}}
	var text bytes.Buffer
	for _, block := range []any{head, second, last} {
		if err := json.NewEncoder(&text).Encode(block); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(text.Bytes())
	f.Add(bytes.ReplaceAll(text.Bytes(), []byte(`"second":1`), []byte(`"second":9007199254740993`)))
	f.Add(bytes.ReplaceAll(text.Bytes(), []byte(`"sent":2`), []byte(`"sent":-2`)))
	folder := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		record := bytes.NewBufferString(recordMagic)
		for line := range bytes.Lines(text) {
			if !json.Valid(line) {
				line, _ = json.Marshal(string(line))
			}
			var lead [8]byte
			binary.BigEndian.PutUint32(lead[:], uint32(len(line)))
			binary.BigEndian.PutUint32(lead[4:], crc32.Checksum(line, castagnoli))
			record.Write(lead[:])
			record.Write(line)
		}
		if err := os.WriteFile(filepath.Join(folder, RecordFile), record.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		for what, read := range map[string]func() (*reports.Load, error){
			"run":   func() (*reports.Load, error) { return ReadRecord(folder) },
			"shard": func() (*reports.Load, error) { return Merge(folder) },
		} {
			report, err := read()
			switch {
			case err != nil && failure.KindOf(err) != failure.Usage:
				t.Fatalf("%s: %v", what, err)
			case err == nil && what == "shard" && report.Verdict == reports.Pass:
				t.Fatalf("half of a run passed")
			}
		}
	})
}
