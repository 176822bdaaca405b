package clients

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/load/schedule"
)

func TestRosterOfPatterns(t *testing.T) {
	e := &environment.Environment{Name: "staging", Load: environment.Load{Clients: environment.Clients{
		Count: 5, SessionToken: "load-{n}", ClientID: "LOAD_{n}_{n}", AccountID: "L1"}}}
	r, err := newRoster(e)
	require.NoError(t, err)
	assert.Equal(t, 5, r.count)
	assert.Equal(t, "load-1", string(r.appendSession(nil, 0)))
	assert.Equal(t, "LOAD_5_5", string(r.appendDevice(nil, 4)))
	assert.Equal(t, "L1", string(r.appendAccount(nil, 4)))
	owner, ok := r.owner([]byte("LOAD_3_3"))
	assert.True(t, ok)
	assert.EqualValues(t, 2, owner)
	_, ok = r.owner([]byte("LOAD_6_6"))
	assert.False(t, ok)
}

func TestRosterOfAShardIsItsSlice(t *testing.T) {
	seen := map[string]int{}
	for index := 1; index <= 3; index++ {
		r, err := newRoster(&environment.Environment{Load: environment.Load{Clients: environment.Clients{Count: 10, SessionToken: "s{n}", ClientID: "C{n}"}}})
		require.NoError(t, err)
		r.keep(schedule.Shard{Index: index, Of: 3})
		for n := range uint32(r.count) {
			device := r.appendDevice(nil, n)
			seen[string(device)]++
			owner, ok := r.owner(device)
			require.True(t, ok)
			require.Equal(t, r.number(n), owner)
		}
		_, ok := r.owner([]byte("C9"))
		assert.True(t, ok, "clients of other shards are known by name")
	}
	assert.Len(t, seen, 10)
	for device, times := range seen {
		assert.Equal(t, 1, times, device)
	}
}

func TestRosterRefusesWhatCannotBe(t *testing.T) {
	for name, test := range map[string]struct {
		clients environment.Clients
		says    string
	}{
		"none":               {environment.Clients{}, "names no virtual clients"},
		"one device for all": {environment.Clients{Count: 2, ClientID: "LOAD", SessionToken: "s{n}"}, "clientId of staging must contain {n}"},
		"one token for all":  {environment.Clients{Count: 2, ClientID: "LOAD_{n}", SessionToken: "s"}, "sessionToken of staging must contain {n}"},
		"file and pattern":   {environment.Clients{Count: 2, ClientID: "LOAD_{n}", File: "x.csv"}, "both a file and a pattern"},
		"no such file":       {environment.Clients{File: "/nowhere/clients.csv"}, "cannot read the clients file /nowhere/clients.csv: no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newRoster(&environment.Environment{Name: "staging", Load: environment.Load{Clients: test.clients}})
			require.ErrorContains(t, err, test.says)
			assert.Equal(t, failure.Usage, failure.KindOf(err))
		})
	}
}

func TestClientsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clients.csv")
	require.NoError(t, os.WriteFile(path, []byte("\ufeffclientId,sessionToken,accountId\nLOAD_1,st-1,A1\n\"LOAD,2\",\"st \"\"2\"\"\",\n"), 0o600))
	r, err := newRoster(&environment.Environment{Load: environment.Load{Clients: environment.Clients{File: path}}})
	require.NoError(t, err)
	assert.Equal(t, 2, r.count)
	assert.Equal(t, "st-1", string(r.appendSession(nil, 0)))
	assert.Equal(t, "LOAD_1", string(r.appendDevice(nil, 0)))
	assert.Equal(t, "A1", string(r.appendAccount(nil, 0)))
	assert.Equal(t, `st "2"`, string(r.appendSession(nil, 1)))
	assert.Equal(t, "LOAD,2", string(r.appendDevice(nil, 1)))
	assert.Empty(t, r.appendAccount(nil, 1))
}

func TestClientsFileNamesTheLine(t *testing.T) {
	for name, test := range map[string]struct{ text, says string }{
		"empty":                {"", "is empty"},
		"header only":          {"sessionToken,clientId\n", "has a header and no rows"},
		"unknown column":       {"sessionToken,clientID\n", "c.csv:1: column 2 of the clients file has an unknown name"},
		"column twice":         {"clientId,clientId\n", "c.csv:1: the column clientId is there twice"},
		"no usable column":     {"accountId\nA\n", "neither a column clientId nor sessionToken"},
		"too few fields":       {"sessionToken,clientId\nsecret-1,C1\nsecret-2\n", "c.csv:3: the clients file is not valid CSV: wrong number of fields"},
		"bare quote":           {"sessionToken,clientId\nsecret-1,C\"1\n", "c.csv:2: the clients file is not valid CSV"},
		"empty device":         {"sessionToken,clientId\nsecret-1,C1\nsecret-2,\n", "c.csv:3: clientId is empty"},
		"space":                {"sessionToken,clientId\nsecret-1, C1\n", "c.csv:2: clientId begins with white space"},
		"control character":    {"sessionToken,clientId\nsecret-1,C\x011\n", "c.csv:2: clientId holds a control character"},
		"not UTF-8":            {"sessionToken,clientId\nsecret-1,C\xff\n", "c.csv:2: clientId is not valid UTF-8"},
		"device twice":         {"sessionToken,clientId\nsecret-1,C1\nsecret-2,C2\nsecret-3,C1\n", "c.csv:4: this clientId is in line 2 already"},
		"token twice":          {"sessionToken,clientId\nsecret-1,C1\nsecret-1,C2\n", "c.csv:3: this sessionToken is in line 2 already"},
		"line after line feed": {"sessionToken,clientId\n\"secret-\n1\",C1\n", "c.csv:2: sessionToken holds a line break"},
		"too long":             {"sessionToken,clientId\nsecret-1," + strings.Repeat("C", 9000) + "\n", "c.csv:2: clientId is longer than 8192 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseClients(strings.NewReader(test.text), "c.csv")
			require.ErrorContains(t, err, test.says)
			assert.Equal(t, failure.Usage, failure.KindOf(err))
			assert.NotContains(t, err.Error(), "secret-", "session tokens are secrets")
		})
	}
}

func FuzzClientsFile(f *testing.F) {
	for _, text := range []string{"sessionToken,clientId,accountId\na,b,c\n", "clientId\n\"x\n", "\ufeffclientId\r\nC1\r\n", "sessionToken\n,\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := parseClients(strings.NewReader(text), "c.csv")
		if err != nil {
			if failure.KindOf(err) != failure.Usage {
				t.Fatalf("not a usage error: %v", err)
			}
			return
		}
		devices := map[string]bool{}
		for n := range uint32(rows.count()) {
			for column := range columns {
				value := string(rows.field(n, column))
				if rows.has[column] && column != columnAccount && value == "" {
					t.Fatalf("row %d has an empty column %d", n, column)
				}
			}
			device := string(rows.field(n, columnDevice))
			if rows.has[columnDevice] && devices[device] {
				t.Fatalf("row %d repeats a device", n)
			}
			devices[device] = true
		}
	})
}

func TestQueueIsFirstInFirstOutAndHoldsEachClientOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		var want []uint32
		next := uint32(0)
		for _, push := range rapid.SliceOfN(rapid.Bool(), 1, 200).Draw(t, "pushes") {
			if push {
				q.push(next)
				want = append(want, next)
				next++
				continue
			}
			got, _, ok := q.pop()
			require.Equal(t, len(want) > 0, ok)
			if ok {
				require.Equal(t, want[0], got)
				want = want[1:]
			}
		}
	})
}

func TestQueueKeepsCoolingClientsBack(t *testing.T) {
	var q queue
	q.pushAt(1, time.Now().Add(time.Hour))
	_, _, ok := q.pop()
	assert.False(t, ok)
	q.pushAt(2, time.Now().Add(-time.Second))
	q.pushAt(3, time.Now().Add(-time.Minute))
	first, _, _ := q.pop()
	second, _, _ := q.pop()
	assert.EqualValues(t, []uint32{3, 2}, []uint32{first, second}, "the one that became ready first")
	_, _, ok = q.pop()
	assert.False(t, ok)
}

func TestQueueKeepsTurns(t *testing.T) {
	var q queue
	next := func() (found []uint32) {
		if client, _, ok := q.pop(); ok {
			found = append(found, client)
		}
		return found
	}
	for n := range uint32(3) {
		q.push(n)
	}
	client, turn, _ := q.pop()
	q.pushInTurn(client, turn+3, time.Now().Add(time.Hour))
	for _, want := range []uint32{1, 2} {
		client, _, _ := q.pop()
		require.Equal(t, want, client)
		q.push(client)
	}
	assert.Equal(t, []uint32{0}, next(), "those who came back before it have had their turns")
	q.pushInTurn(0, 100, time.Now())
	assert.Equal(t, [][]uint32{{1}, {2}, {0}, nil}, [][]uint32{next(), next(), next(), next()}, "where nobody else is ready it need not wait")
}

func TestMaskedShowsNoWholeIdentifier(t *testing.T) {
	for id, want := range map[string]string{"": "none", "A": "A…", "1663": "1…", "PUB_989": "PU…89", "SessionTokenSignOnAccount-0001": "Ses…001"} {
		assert.Equal(t, want, masked([]byte(id)))
	}
}
