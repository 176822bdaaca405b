package shards

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/load/tally"
)

// recordOf is the smallest record of a shard: its question, and one second (see load/record.go).
func recordOf(run, shard string) []byte {
	record := []byte("agstest load record 1\n")
	for _, block := range []any{
		map[string]any{"report": map[string]any{"run": map[string]any{"id": run}, "shard": shard}, "operations": []string{"refresh"}, "of": 3},
		map[string]any{"second": 0, "health": map[string]any{}},
	} {
		text, _ := json.Marshal(block)
		record = binary.BigEndian.AppendUint32(record, uint32(len(text)))
		record = binary.BigEndian.AppendUint32(record, crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)))
		record = append(record, text...)
	}
	return record
}

func resultOf(run, shard string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	record := recordOf(run, shard)
	_ = w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: tally.RecordFile, Size: int64(len(record)), Mode: 0o600})
	_, _ = w.Write(record)
	_ = w.Close()
	return b.Bytes()
}

func TestAResultIsReadBackFromItsURL(t *testing.T) {
	t.Parallel()
	right := resultOf("r1", "2/3")
	for name, test := range map[string]struct {
		holds  []byte
		ending *Ending
		want   string
	}{
		"what the shard told of":          {right, &Ending{Result: &Result{SHA256: HashOf(right)}}, ""},
		"what the shard did not tell of":  {right, &Ending{Result: &Result{SHA256: HashOf(nil)}}, "what the results URL holds is not the result of this shard"},
		"of a shard that is silent":       {right, nil, ""},
		"of another run":                  {resultOf("r0", "2/3"), nil, "what the results URL holds is not the result of this shard"},
		"of another shard":                {resultOf("r1", "1/3"), nil, "what the results URL holds is not the result of this shard"},
		"no result at all":                {[]byte("hello"), nil, "the result of a shard is damaged: unexpected EOF"},
		"nothing, as it is for PUT alone": {nil, nil, "the results URL answered with status 403"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, "/results/1.tar?sig=s3cret", r.URL.String())
				if test.holds == nil {
					w.WriteHeader(http.StatusForbidden)
				}
				_, _ = w.Write(test.holds)
			}))
			defer store.Close()
			defer http.DefaultClient.CloseIdleConnections()
			r := &conductor{Coordinator: &Coordinator{Folder: t.TempDir()}, work: &Work{Run: "r1"}, shards: make([]*shard, 3)}
			s := &shard{index: 1}
			err := r.fromURL(t.Context(), s, store.URL+"/results/{index}.tar?sig=s3cret", test.ending)
			left, _ := filepath.Glob(filepath.Join(r.Folder, ".*"))
			assert.Empty(t, left)
			if test.want != "" {
				assert.EqualError(t, err, test.want)
				assert.Empty(t, s.facts.Folder)
				return
			}
			require.NoError(t, err)
			assert.FileExists(t, filepath.Join(r.Folder, "shards", "2", tally.RecordFile))
		})
	}
	err := (&conductor{Coordinator: &Coordinator{Folder: t.TempDir()}, work: &Work{Run: "r1"}}).fromURL(t.Context(), &shard{}, "http://127.0.0.1:1/x?sig=s3cret", nil)
	assert.Error(t, err)
	assert.NotContains(t, fmt.Sprint(err), "s3cret", "a signed address is a secret")
}
