package clients

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/load/hit"
	"agstest/load/lab"
)

// accessToken is as long as the one of the page "Signing in with a session token".
func accessToken(account, device, jti string, exp int64) string {
	encode := base64.RawURLEncoding.EncodeToString
	payload := fmt.Sprintf(`{"accountProfileId":"DEFAULT","tenantId":"nagra","filteringInformation":{},"blockingInformation":{},"accountId":%q,"userId":%q,"ver":"1.0",`+
		`"geoBlockExempt":false,"parentalControl":null,"typ":"DevAuthN","jti":%q,"playoutDeviceClass":null,"deviceId":%q,"exp":%d,"fixed_exp":%d,"onNetwork":true,`+
		`"sessionControl":{"maxSessions":3,"sessionControlEnabled":true},"billingCountryCode":"EmptyCountry"}`, account, account, jti, device, exp, exp+2588400)
	return encode([]byte(`{"kid":"259629","alg":"HS256","typ":"JWT"}`)) + "." + encode([]byte(payload)) + "." + encode([]byte("thirty-two bytes of a signature."))
}

// signedInCrowd returns a crowd of signed-in clients, with the answer that each of them gets.
func signedInCrowd(t testing.TB, clients int) (*Crowd, func(n uint32, serial int) []byte) {
	e := &environment.Environment{Name: "lab", Tenant: "nagra", Service: "SSO", ClockSkew: time.Hour,
		Load: environment.Load{Clients: environment.Clients{Count: clients, SessionToken: "load-{n}", ClientID: "LOAD_{n}", AccountID: "L{n}"}}}
	c, err := New(e, Traffic{Workload: WorkloadRefresh, Clients: clients}, Part{Peak: 100, Seed: 3})
	require.NoError(t, err)
	answer := func(n uint32, serial int) []byte {
		now := time.Now().Unix()
		account, device, jti := fmt.Sprintf("L%d", n+1), fmt.Sprintf("LOAD_%d", n+1), fmt.Sprintf("4789%015d", serial)
		return fmt.Appendf(nil, `{"access_token":%q,"refresh_token":%q,"client_id":%q,"accountId":%q,"token_type":"bearer","expires_in":3600,"refresh_expires_in":172800,"fixed_refresh_expires_in":2592000}`,
			accessToken(account, device, jti, now+3600), lab.Token("RefreshAuthN", account, device, jti, now+172800), device, account)
	}
	for n := range uint32(clients) {
		outcome, kept := c.judge(&sender{client: n, step: stepSignOn}, &hit.Answer{Status: http.StatusCreated, Body: answer(n, int(n)), Sent: time.Now(), Received: time.Now()})
		require.Empty(t, outcome)
		require.True(t, kept)
		c.ongoing.push(n)
	}
	return c, answer
}

// pastFirst is as if the first answers of each call, which are all judged by all rules, had come.
func pastFirst(c *Crowd) {
	for i := range c.sampled.first {
		c.sampled.first[i].Store(judgedFirst)
	}
	c.sampled.novel.Store(maxNovel)
}

// heapInUse is what is reachable, in bytes.
func heapInUse() int64 {
	runtime.GC()
	runtime.GC() // what pools held goes with the second one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestSignedInClientsAreSmall(t *testing.T) {
	const clients = fewClients + 1
	before := heapInUse()
	c, _ := signedInCrowd(t, clients)
	each := float64(heapInUse()-before) / clients
	runtime.KeepAlive(c)
	assert.Greater(t, each, 125.0, "a sealed token is in it")
	assert.Less(t, each, 160.0, "bytes a client; of a million, which have less beside them, 141 (BenchmarkMillionClients)")
	// Eight bytes more are 8 MB of a million clients.
	assert.LessOrEqual(t, reflect.TypeFor[client]().Size(), uintptr(40))
}

func TestHitsCostFewAllocations(t *testing.T) {
	c, answer := signedInCrowd(t, 200)
	pastFirst(c)
	c.JudgeEvery = 1 << 30 // full judgements are measured by the benchmark
	var request hit.Request
	bodies := make([][]byte, 3*200) // new ones at each turn
	for i := range bodies {
		bodies[i] = answer(uint32(i%200), 10000+i)
	}
	now := time.Now()
	seq := uint64(0)
	allocations := testing.AllocsPerRun(400, func() {
		seq++
		require.True(t, c.Begin(seq, &request))
		n := request.Client.(*sender).client
		turn := uint32(seq-1) / 200
		answer := hit.Answer{Status: http.StatusOK, Body: bodies[turn*200+n], Sent: now, Received: now}
		outcome := c.End(&request, &answer)
		if outcome.Kind != "" {
			t.Fatal(outcome)
		}
	})
	assert.LessOrEqual(t, allocations, 3.0, "a refresh: its correlation id, the answer of this test")
}

// BenchmarkRefreshHit is a whole hit without the network: request, scan, identity, uniqueness, token put away; with
// judgements on the usual share of answers and on none.
func BenchmarkRefreshHit(b *testing.B) {
	for name, every := range map[string]int{"judged=1of100": defaultJudgeEvery, "judged=none": 1 << 30, "judged=all": 1} {
		b.Run(name, func(b *testing.B) {
			const clients = 1000
			c, answer := signedInCrowd(b, clients)
			c.JudgeEvery, c.last = every, nil // answers come again, which is not what is measured
			pastFirst(c)
			bodies := make([][]byte, clients)
			for n := range bodies {
				bodies[n] = answer(uint32(n), 10000+n)
			}
			var request hit.Request
			var reply hit.Answer
			b.ReportAllocs()
			for seq := uint64(0); b.Loop(); seq++ {
				c.Begin(seq, &request)
				n := request.Client.(*sender).client
				reply = hit.Answer{Status: http.StatusOK, Body: bodies[n], Sent: time.Now(), Received: time.Now()}
				c.End(&request, &reply)
			}
		})
	}
}

// BenchmarkMillionClients shows what a million clients that are signed in take.
func BenchmarkMillionClients(b *testing.B) {
	for b.Loop() {
		before := heapInUse()
		c, _ := signedInCrowd(b, 1_000_000)
		b.ReportMetric(float64(heapInUse()-before)/1e6, "MB")
		runtime.KeepAlive(c)
	}
}
