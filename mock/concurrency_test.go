package mock

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// crowd runs a call of each of 64 clients at once.
func crowd(work func(i int)) {
	var wait sync.WaitGroup
	begin := make(chan struct{})
	for i := range 64 {
		wait.Go(func() {
			<-begin
			work(i)
		})
	}
	close(begin)
	wait.Wait()
}

func TestTheDeviceLimitHoldsInACrowd(t *testing.T) {
	c := newClient(t, Config{})
	id := c.control("POST", "/control/accounts", `{"deviceLimit":10}`).body["accountId"].(string)
	sessions := make([]string, 64)
	for i := range sessions {
		sessions[i] = c.session(id)
	}
	var mutex sync.Mutex
	devices, jtis := map[any]int{}, map[any]bool{}
	var accepted, refused atomic.Int32
	crowd(func(i int) {
		a := c.do("POST", "/ags/signOnWithSessionToken", "{"+parameters("sessionToken", sessions[i])+","+firstTime+"}")
		switch {
		case a.status == 201:
			accepted.Add(1)
			mutex.Lock()
			devices[a.body["client_id"]]++
			jtis[claims(t, a.body["access_token"])["jti"]] = true
			mutex.Unlock()
		case a.status == 403 && a.code() == 20007.0:
			refused.Add(1)
		}
	})
	assert.Equal(t, int32(10), accepted.Load())
	assert.Equal(t, int32(54), refused.Load())
	assert.Len(t, devices, 10, "each has its own client_id")
	assert.Len(t, jtis, 10)
	assert.Len(t, c.control("GET", "/control/accounts/nagra/"+id, "").body["devices"], 10)
}

func TestASessionTokenIsUsedOnceInACrowd(t *testing.T) {
	c := newClient(t, Config{})
	body := "{" + parameters("sessionToken", c.session("1663")) + "," + nth("PUB_989") + "}"
	var accepted, refused atomic.Int32
	crowd(func(int) {
		switch c.do("POST", "/ags/signOnWithSessionToken", body).status {
		case 201:
			accepted.Add(1)
		case 403:
			refused.Add(1)
		}
	})
	assert.Equal(t, int32(1), accepted.Load())
	assert.Equal(t, int32(63), refused.Load())
}

func TestARefreshTokenIsUsedOnceInACrowd(t *testing.T) {
	c := newClient(t, Config{Behaviour: Behaviour{RevokeOnRefresh: true}})
	signedOn := c.signedOn("1663", nth("PUB_989"))
	var accepted, refused atomic.Int32
	crowd(func(int) {
		switch c.refresh(signedOn).status {
		case 200:
			accepted.Add(1)
		case 401:
			refused.Add(1)
		}
	})
	assert.Equal(t, int32(1), accepted.Load())
	assert.Equal(t, int32(63), refused.Load())
}

// TestACrowdIsServedAsIfInTurn lets 64 clients live their own lives while an operator suspends, moves clocks and
// switches choices. Every answer belongs to the client that asked.
func TestACrowdIsServedAsIfInTurn(t *testing.T) {
	c := newClient(t, Config{})
	crowd(func(i int) {
		number := fmt.Sprint(i + 1)
		device, account := "LOAD_"+number, "L"+number
		body := "{" + parameters("sessionToken", c.mock.secret.population+"-"+number) + "," + nth(device) + "}"
		mine := func(a answer, status int) {
			require.Equal(t, status, a.status, a.text)
			require.Equal(t, account, a.body["accountId"])
			require.Equal(t, device, a.body["client_id"])
			require.Equal(t, device, claims(t, a.body["access_token"])["deviceId"])
		}
		for range 5 {
			signedOn := c.do("POST", "/ags/signOnWithSessionToken", body)
			mine(signedOn, 201)
			renewed := c.refresh(signedOn)
			mine(renewed, 200)
			switch i % 4 {
			case 0:
				c.control("POST", "/control/accounts/nagra/"+account, `{"status":"SUSPENDED"}`)
				require.Equal(t, 20002.0, c.refresh(renewed).code())
				c.control("POST", "/control/accounts/nagra/"+account, `{"status":"ACTIVE"}`)
			case 1:
				require.Equal(t, 200, c.signOut(renewed).status)
				require.Equal(t, 401, c.refresh(renewed).status)
				require.Equal(t, 401, c.signOut(renewed).status)
			case 2:
				c.control("POST", "/control/clock", `{"advance":"48h","tenant":"nagra","account":"`+account+`"}`)
				require.Equal(t, 403, c.refresh(renewed).status)
			case 3:
				require.NoError(t, c.mock.Use([]string{"extra-members", "pretty"}, nil))
				require.Equal(t, 200, c.control("GET", "/control/state", "").status)
			}
		}
	})
}
