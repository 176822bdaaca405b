package mock

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func names(o map[string]any) []string {
	var list []string
	for name := range o {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func TestTokenBodyIsThatOfThePage(t *testing.T) {
	c := newClient(t, Config{SigningKeyID: "259629"})
	a := c.signedOn("1663", nth("PUB_989"))
	assert.Equal(t, []string{"access_token", "accountId", "client_id", "expires_in", "fixed_refresh_expires_in", "refresh_expires_in", "refresh_token", "token_type"}, names(a.body))
	assert.Equal(t, "PUB_989", a.body["client_id"])
	assert.Equal(t, "1663", a.body["accountId"])
	assert.Equal(t, "bearer", a.body["token_type"])
	assert.Equal(t, 3600.0, a.body["expires_in"])
	assert.Equal(t, 172800.0, a.body["refresh_expires_in"])
	assert.Equal(t, 2592000.0, a.body["fixed_refresh_expires_in"])

	access, refresh := claims(t, a.body["access_token"]), claims(t, a.body["refresh_token"])
	shared := []string{"accountId", "accountProfileId", "deviceId", "exp", "fixed_exp", "jti", "sessionControl", "tenantId", "typ", "userId", "ver"}
	assert.Equal(t, shared, names(refresh))
	all := append(slices.Clone(shared), "geoBlockExempt", "onNetwork", "billingCountryCode", "filteringInformation", "blockingInformation", "parentalControl", "playoutDeviceClass")
	slices.Sort(all)
	assert.Equal(t, all, names(access))
	assert.Equal(t, "DevAuthN", access["typ"])
	assert.Equal(t, "RefreshAuthN", refresh["typ"])
	for _, same := range []string{"accountId", "accountProfileId", "deviceId", "fixed_exp", "jti", "sessionControl", "tenantId", "userId", "ver"} {
		assert.Equal(t, access[same], refresh[same], same)
	}
	assert.Equal(t, "1.0", access["ver"])
	assert.Equal(t, "nagra", access["tenantId"])
	assert.Equal(t, "1663", access["userId"])
	assert.Len(t, access["jti"], 19)
	assert.Equal(t, start.Unix()+3600, number(t, access["exp"]))
	assert.Equal(t, start.Unix()+172800, number(t, refresh["exp"]))
	assert.Equal(t, start.Unix()+2592000, number(t, refresh["fixed_exp"]))

	t.Run("a library verifies the tokens", func(t *testing.T) {
		for _, name := range []string{"access_token", "refresh_token"} {
			parsed, err := jwt.Parse(a.body[name].(string), func(*jwt.Token) (any, error) { return []byte(c.mock.secret.signing), nil },
				jwt.WithValidMethods([]string{"HS256"}), jwt.WithTimeFunc(func() time.Time { return start }))
			require.NoError(t, err)
			assert.Equal(t, map[string]any{"kid": "259629", "alg": "HS256", "typ": "JWT"}, parsed.Header)
		}
	})
}

// TestInvariantsHold plays sessions of any lifetimes: sign-on, then refreshes after any waits until the absolute end.
func TestInvariantsHold(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		access := rapid.Int64Range(2, 7200).Draw(r, "access")
		refresh := access + rapid.Int64Range(1, 200_000).Draw(r, "refresh")
		fixed := refresh + rapid.Int64Range(1, 3_000_000).Draw(r, "fixed")
		constant := rapid.Bool().Draw(r, "constant")
		c := newClient(t, Config{Behaviour: Behaviour{ConstantFixedLifetime: constant,
			Lifetimes: Lifetimes{time.Duration(access) * time.Second, time.Duration(refresh) * time.Second, time.Duration(fixed) * time.Second}}})
		last := c.signedOn("1663", nth("PUB_989"))
		first := checkPair(t, c, last, [3]int64{access, refresh, fixed}, nil, constant)
		jtis := map[any]bool{first.jti: true}
		for i := range rapid.IntRange(0, 12).Draw(r, "refreshes") {
			wait := rapid.Int64Range(0, refresh+1).Draw(r, fmt.Sprint("wait", i))
			c.mock.Advance(time.Duration(wait) * time.Second)
			now := c.mock.Now().Unix()
			a := c.refresh(last)
			if now >= number(t, claims(t, last.body["refresh_token"])["exp"]) || now >= first.fixedExp {
				require.Equal(t, http.StatusForbidden, a.status)
				continue
			}
			require.Equal(t, http.StatusOK, a.status, a.text)
			pair := checkPair(t, c, a, [3]int64{access, refresh, fixed}, &first, constant)
			require.False(t, jtis[pair.jti], "jti repeats")
			jtis[pair.jti] = true
			last = a
		}
	})
}

type checkedPair struct {
	jti      any
	fixedExp int64
}

// checkPair holds a pair against the numeric invariants; first is the pair of the sign-on.
func checkPair(t testing.TB, c client, a answer, lifetimes [3]int64, first *checkedPair, constant bool) checkedPair {
	t.Helper()
	now := c.mock.Now().Unix()
	access, refresh := claims(t, a.body["access_token"]), claims(t, a.body["refresh_token"])
	accessExp, refreshExp, fixedExp := number(t, access["exp"]), number(t, refresh["exp"]), number(t, access["fixed_exp"])
	in, refreshIn, fixedIn := number(t, a.body["expires_in"]), number(t, a.body["refresh_expires_in"]), number(t, a.body["fixed_refresh_expires_in"])
	wantFixed := now + lifetimes[2]
	if first != nil {
		wantFixed = first.fixedExp
	}
	require.Equal(t, wantFixed, fixedExp, "the absolute end stays")
	require.Equal(t, fixedExp, number(t, refresh["fixed_exp"]))
	require.Equal(t, min(now+lifetimes[0], fixedExp), accessExp)
	require.Equal(t, min(now+lifetimes[1], fixedExp), refreshExp)
	require.Equal(t, accessExp-now, in)
	require.Equal(t, refreshExp-now, refreshIn)
	if constant {
		require.Equal(t, lifetimes[2], fixedIn)
	} else {
		require.Equal(t, fixedExp-now, fixedIn)
	}
	require.Positive(t, in)
	require.Equal(t, access["jti"], refresh["jti"])
	for claim, want := range map[string]any{"accountId": "1663", "userId": "1663", "deviceId": "PUB_989", "tenantId": "nagra"} {
		require.Equal(t, want, access[claim])
		require.Equal(t, want, refresh[claim])
	}
	return checkedPair{access["jti"], fixedExp}
}

func TestRevokedRefreshTokens(t *testing.T) {
	for _, behaviour := range []Behaviour{{RevokeOnRefresh: true}, {RevokeOnRefresh: true, KeepTokenID: true}, {RevokeOnRefresh: true, NoRefreshSessionControl: true}} {
		c := newClient(t, Config{Behaviour: behaviour})
		first := c.signedOn("1663", nth("PUB_989"))
		second := c.refresh(first)
		require.Equal(t, 200, second.status)
		assert.Equal(t, 401, c.refresh(first).status)
		assert.Equal(t, 200, c.refresh(second).status, "replaying the old one does not harm the new one")
	}
}
