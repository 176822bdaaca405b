package mock

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCallsAnswerAsDocumented(t *testing.T) {
	c := newClient(t, Config{})
	session := func(account string) string { return parameters("sessionToken", c.session(account)) }
	password := c.mock.secret.password
	standing := func(situation string) string { return parameters("sessionToken", c.mock.secret.standing[situation]) }
	credentials := func(name string) string { return parameters("username", name, "password", password) }
	operator := func(change func(*jwt.Token)) string {
		return "{" + parameters("OperatorAuthToken", c.operatorToken(change)) + "}"
	}
	claim := func(name string, value any) string {
		return operator(func(t *jwt.Token) { t.Claims.(jwt.MapClaims)[name] = value })
	}
	signedOn := c.signedOn("1663", nth("PUB_994"))
	access, refresh := signedOn.body["access_token"].(string), signedOn.body["refresh_token"].(string)
	const sost, sso, gst, ref, out, sub, reg, sreg = "/ags/signOnWithSessionToken", "/ags/signOn", "/ags/getSessionToken", "/ags/refresh", "/ags/signOut",
		"/ags/subsequentSignOn", "/ags/register/tvkey", "/ags/subsequentRegister"

	for _, test := range []struct {
		name, path, body string
		header           []string
		status           int
		code             any // nil: not looked at
	}{
		{"session token, n-th time", sost, "{" + session("1663") + "," + nth("PUB_989") + "}", nil, 201, nil},
		{"session token, first time", sost, "{" + session("1663") + "," + firstTime + "}", nil, 201, nil},
		{"other spelling of the parameter", sost, strings.Replace("{"+session("1663")+","+nth("PUB_989")+"}", "sessionToken", "SESSIONTOKEN", 1), nil, 201, nil},
		{"no service", sost, "{" + session("1663") + "," + nth("PUB_989") + "}", []string{"x-auth-service-id", ""}, 400, 400.0},
		{"unknown service", sost, "{" + session("1663") + "," + nth("PUB_989") + "}", []string{"x-auth-service-id", "nobody"}, 400, 400.0},
		{"each service is served", sost, "{" + session("1663") + "," + nth("PUB_989") + "}", []string{"x-auth-service-id", "Partner Login (TV & Web)"}, 201, nil},
		{"no tenant means the first", sost, "{" + session("1663") + "," + nth("PUB_989") + "}", []string{"nv-tenant-id", ""}, 201, nil},
		{"unknown tenant", sost, "{" + session("1663") + "," + nth("PUB_989") + "}", []string{"nv-tenant-id", "nobody"}, 400, nil},
		{"token of another tenant", sost, "{" + standing("other-tenant") + "," + nth("ACM_1") + "}", nil, 401, nil},
		{"token in its own tenant", sost, "{" + standing("other-tenant") + "," + nth("ACM_1") + "}", []string{"nv-tenant-id", "acme"}, 201, nil},
		{"charset in the content type", sost, "{" + session("1663") + "," + nth("PUB_989") + "}", []string{"Content-Type", "application/json; charset=UTF-8"}, 201, nil},
		{"wrong content type", sost, "{" + session("1663") + "," + nth("PUB_989") + "}", []string{"Content-Type", "text/plain"}, 400, nil},
		{"empty body", sost, "", nil, 400, nil},
		{"not an object", sost, "[]", nil, 400, nil},
		{"broken JSON", sost, "{" + session("1663") + "," + nth("PUB_989"), nil, 400, nil},
		{"text after the JSON", sost, "{" + session("1663") + "," + nth("PUB_989") + "} x", nil, 400, nil},
		{"two JSON values", sost, "{" + session("1663") + "," + nth("PUB_989") + "}{}", nil, 400, nil},
		{"broken UTF-8", sost, "{" + session("1663") + ",\"clientId\":\"\xff\"}", nil, 400, nil},
		{"nested too deeply", sost, "{" + session("1663") + "," + nth("PUB_989") + `,"x":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + "}", nil, 400, nil},
		{"too long", sost, "{" + session("1663") + "," + nth("PUB_989") + `,"x":"` + strings.Repeat("x", maxBody) + `"}`, nil, 400, nil},
		{"no parameters", sost, "{" + nth("PUB_989") + "}", nil, 400, nil},
		{"parameters in other case", sost, strings.Replace("{"+session("1663")+","+nth("PUB_989")+"}", "parameters", "Parameters", 1), nil, 400, nil},
		{"parameters null", sost, `{"parameters":null,` + nth("PUB_989") + "}", nil, 400, nil},
		{"parameters an object", sost, `{"parameters":{},` + nth("PUB_989") + "}", nil, 400, nil},
		{"parameters empty", sost, `{"parameters":[],` + nth("PUB_989") + "}", nil, 400, nil},
		{"parameter without name", sost, `{"parameters":[{"value":"x"}],` + nth("PUB_989") + "}", nil, 400, nil},
		{"parameter without value", sost, `{"parameters":[{"name":"sessionToken"}],` + nth("PUB_989") + "}", nil, 400, nil},
		{"parameter value null", sost, `{"parameters":[{"name":"sessionToken","value":null}],` + nth("PUB_989") + "}", nil, 400, nil},
		{"parameter value a number", sost, `{"parameters":[{"name":"sessionToken","value":1}],` + nth("PUB_989") + "}", nil, 400, nil},
		{"the other parameter", sost, "{" + credentials("dave") + "," + nth("PUB_989") + "}", nil, 400, nil},
		{"neither device argument", sost, "{" + session("1663") + "}", nil, 400, nil},
		{"both device arguments", sost, "{" + session("1663") + "," + nth("PUB_989") + "," + firstTime + "}", nil, 400, nil},
		{"clientId null", sost, "{" + session("1663") + `,"clientId":null}`, nil, 400, nil},
		{"deviceInformation a string", sost, "{" + session("1663") + `,"deviceInformation":"x"}`, nil, 400, nil},
		{"deviceInformation empty", sost, "{" + session("1663") + `,"deviceInformation":{}}`, nil, 201, nil},
		{"unknown session token", sost, "{" + parameters("sessionToken", "never-issued") + "," + nth("PUB_989") + "}", nil, 401, 401.0},
		{"expired session token", sost, "{" + standing("expired-session") + "," + nth("EXP_1") + "}", nil, 401, 401.0},
		{"unknown device", sost, "{" + session("1663") + "," + nth("nobody") + "}", nil, 404, 404.0},
		{"foreign device", sost, "{" + session("1663") + "," + nth("OTH_1") + "}", nil, 403, 403.0},
		{"disabled device", sost, "{" + session("1663") + "," + nth("PUB_990") + "}", nil, 403, 20004.0},
		{"deleted device", sost, "{" + session("1663") + "," + nth("PUB_991") + "}", nil, 403, 20003.0},
		{"inactive device", sost, "{" + session("1663") + "," + nth("PUB_992") + "}", nil, 403, 20004.0},
		{"unapproved device", sost, "{" + session("1663") + "," + nth("PUB_993") + "}", nil, 201, nil},
		{"suspended account", sost, "{" + standing("suspended-account") + "," + nth("SUS_1") + "}", nil, 403, 20002.0},
		{"cancelled account", sost, "{" + standing("cancelled-account") + "," + nth("CAN_1") + "}", nil, 403, 20001.0},
		{"restricted account", sost, "{" + standing("restricted-account") + "," + nth("RES_1") + "}", nil, 201, nil},
		{"device limit, first time", sost, "{" + standing("device-limit") + "," + firstTime + "}", nil, 403, 20007.0},
		{"device limit, n-th time", sost, "{" + standing("device-limit") + "," + nth("LIM_1") + "}", nil, 201, nil},
		{"group limit", sost, "{" + standing("group-limit") + `,"deviceInformation":{"playoutDeviceClass":"mobileDevice"}}`, nil, 403, 20007.0},
		{"group limit, other class", sost, "{" + standing("group-limit") + `,"deviceInformation":{"playoutDeviceClass":"tv"}}`, nil, 201, nil},
		{"blocked location", sost, "{" + session("1663") + "," + nth("PUB_989") + "}", []string{"X-Forwarded-For", "203.0.113.7, 10.0.0.1"}, 403, 20019.0},
		{"filtered location", sost, "{" + session("1663") + "," + nth("PUB_989") + "}", []string{"X-Forwarded-For", "192.0.2.7"}, 403, 20066.0},
		{"VPN", sost, "{" + session("1663") + "," + firstTime + "}", []string{"X-Forwarded-For", "198.51.100.7"}, 403, 20018.0},
		{"load population", sost, "{" + parameters("sessionToken", c.mock.secret.population+"-9999999") + "," + nth("LOAD_9999999") + "}", nil, 201, nil},
		{"load population, foreign device", sost, "{" + parameters("sessionToken", c.mock.secret.population+"-1") + "," + nth("LOAD_2") + "}", nil, 403, nil},
		{"load population, leading zero", sost, "{" + parameters("sessionToken", c.mock.secret.population+"-01") + "," + nth("LOAD_1") + "}", nil, 401, nil},
		{"load population, zero", sost, "{" + parameters("sessionToken", c.mock.secret.population+"-0") + "," + nth("LOAD_0") + "}", nil, 401, nil},

		{"credentials, n-th time", sso, "{" + credentials("dave") + "," + nth("PUB_989") + "}", nil, 201, nil},
		{"credentials, first time", sso, "{" + credentials("dave") + "," + firstTime + "}", nil, 201, nil},
		{"credentials as another service spells them", sso, "{" + parameters("Username", "dave", "Password", password) + "," + firstTime + "}", []string{"x-auth-service-id", "Customer Auth Service"}, 201, nil},
		{"wrong password", sso, "{" + parameters("username", "dave", "password", "wrong") + "," + nth("PUB_989") + "}", nil, 401, 401.0},
		{"unknown user", sso, "{" + parameters("username", "nobody", "password", password) + "," + nth("PUB_989") + "}", nil, 401, 401.0},
		{"user of another tenant", sso, "{" + credentials("dave") + "," + nth("PUB_989") + "}", []string{"nv-tenant-id", "acme"}, 401, nil},
		{"no password", sso, "{" + parameters("username", "dave") + "," + nth("PUB_989") + "}", nil, 400, nil},
		{"several accounts", sso, "{" + credentials("multi") + "," + firstTime + "}", nil, 300, nil},
		{"several accounts, unknown device", sso, "{" + credentials("multi") + "," + nth("nobody") + "}", nil, 404, nil},
		{"suspended user", sso, "{" + credentials("suspended") + "," + nth("SUS_1") + "}", nil, 403, 20002.0},
		{"unknown device of credentials", sso, "{" + credentials("dave") + "," + nth("nobody") + "}", nil, 404, nil},

		{"operator token", gst, operator(nil), nil, 200, nil},
		{"audience among others", gst, claim("aud", []string{"x", "ags"}), nil, 200, nil},
		{"no operator token", gst, `{"parameters":[]}`, nil, 400, nil},
		{"operator token garbage", gst, "{" + parameters("OperatorAuthToken", "garbage") + "}", nil, 401, nil},
		{"operator token, wrong key", gst, "{" + parameters("OperatorAuthToken", c.operatorToken(nil)[:20]+"A"+c.operatorToken(nil)[21:]) + "}", nil, 401, nil},
		{"operator token, expired", gst, claim("exp", start.Unix()), nil, 401, nil},
		{"operator token, expiry a string", gst, claim("exp", "soon"), nil, 401, nil},
		{"operator token, other audience", gst, claim("aud", "other"), nil, 403, nil},
		{"operator token, other type", gst, claim("typ", "DevAuthN"), nil, 403, nil},
		{"operator token, other tenant", gst, claim("OpfTenantId", "acme"), nil, 403, nil},
		{"operator token, unknown account", gst, claim("OpfAccountId", "nobody"), nil, 403, nil},
		{"operator token, no account", gst, claim("OpfAccountId", ""), nil, 403, nil},
		{"operator token, HS512", gst, operator(func(t *jwt.Token) { t.Method, t.Header["alg"] = jwt.SigningMethodHS512, "HS512" }), nil, 401, nil},
		{"operator token, other key id", gst, operator(func(t *jwt.Token) { t.Header["kid"] = "other" }), nil, 401, nil},
		{"operator token, critical extension", gst, operator(func(t *jwt.Token) { t.Header["crit"] = []string{"x"} }), nil, 401, nil},
		{"an access token is no operator token", gst, "{" + parameters("OperatorAuthToken", access) + "}", nil, 401, nil},

		{"refresh", ref, `{"parameters":[]}`, []string{"Authorization", "Bearer " + refresh}, 200, nil},
		{"refresh, scheme in capitals", ref, `{"parameters":[]}`, []string{"Authorization", "BEARER " + refresh}, 200, nil},
		{"refresh, raw token", ref, `{"parameters":[]}`, []string{"Authorization", refresh}, 200, nil},
		{"refresh, no parameters", ref, `{}`, []string{"Authorization", refresh}, 200, nil},
		{"refresh, no body", ref, "", []string{"Authorization", refresh}, 200, nil},
		{"refresh, broken body", ref, "{", []string{"Authorization", refresh}, 400, nil},
		{"refresh, parameters a string", ref, `{"parameters":""}`, []string{"Authorization", refresh}, 400, nil},
		{"refresh, no token", ref, `{"parameters":[]}`, nil, 401, nil},
		{"refresh, garbage", ref, `{"parameters":[]}`, []string{"Authorization", "Bearer garbage"}, 401, nil},
		{"refresh, tampered", ref, `{"parameters":[]}`, []string{"Authorization", "Bearer " + refresh[:100] + "AAAA" + refresh[104:]}, 403, 20020.0},
		{"refresh, access token", ref, `{"parameters":[]}`, []string{"Authorization", "Bearer " + access}, 403, 20020.0},
		{"refresh, expired", ref, `{"parameters":[]}`, []string{"Authorization", "Bearer " + c.mock.secret.expiredRefresh}, 403, 20020.0},
		{"refresh, other tenant", ref, `{"parameters":[]}`, []string{"Authorization", "Bearer " + refresh, "nv-tenant-id", "acme"}, 403, 20020.0},
		{"refresh, no service", ref, `{"parameters":[]}`, []string{"Authorization", "Bearer " + refresh, "x-auth-service-id", ""}, 400, nil},

		{"sign out, no token", out, `{"parameters":[]}`, nil, 401, nil},
		{"sign out, garbage", out, `{"parameters":[]}`, []string{"Authorization", "Bearer garbage"}, 401, nil},
		{"sign out, refresh token", out, `{"parameters":[]}`, []string{"Authorization", "Bearer " + refresh}, 403, nil},
		{"sign out, broken body", out, `{`, []string{"Authorization", "Bearer " + access}, 400, nil},
		{"sign out, no service", out, `{"parameters":[]}`, []string{"Authorization", "Bearer " + access, "x-auth-service-id", ""}, 400, nil},
		{"sign out", out, `{"parameters":[]}`, []string{"Authorization", "Bearer " + access}, 200, nil},
		{"sign out again", out, `{"parameters":[]}`, []string{"Authorization", "Bearer " + access}, 401, nil},
		{"refresh after sign-out", ref, `{"parameters":[]}`, []string{"Authorization", "Bearer " + refresh}, 401, nil},

		{"subsequent, no user token", sub, `{"parameters":[]}`, nil, 401, nil},
		{"subsequent, invented", sub, `{"parameters":[]}`, []string{"User-Token", "invented"}, 401, nil},
		{"subsequent, bad body", sub, `{`, []string{"User-Token", "invented"}, 400, nil},
		{"subsequent, no service", sub, `{"parameters":[]}`, []string{"User-Token", "invented", "x-auth-service-id", ""}, 400, nil},
		{"register", reg, "{" + credentials("dave") + "}", nil, 201, nil},
		{"register, wrong password", reg, "{" + parameters("username", "dave", "password", "wrong") + "}", nil, 401, nil},
		{"register, bad body", reg, "{", nil, 400, nil},
		{"register, suspended", reg, "{" + credentials("suspended") + "}", nil, 403, 20002.0},
		{"register, several accounts", reg, "{" + credentials("multi") + "}", nil, 300, nil},
		{"register, unknown type", "/ags/register/toaster", "{" + credentials("dave") + "}", nil, 400, nil},
		{"register, no service", reg, "{" + credentials("dave") + "}", []string{"x-auth-service-id", ""}, 400, nil},
		{"subsequent register, no user token", sreg, `{"parameters":[]}`, nil, 401, nil},
		{"unknown path", "/ags/nothing", "{}", nil, 404, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := c.do("POST", test.path, test.body, test.header...)
			assert.Equal(t, test.status, a.status, a.text)
			if test.code != nil {
				assert.Equal(t, test.code, a.code(), a.text)
				assert.NotEmpty(t, a.body["message"])
			}
			assert.Equal(t, Version, a.header.Get("x-agstest-mock"))
			if a.status >= 300 {
				assert.NotContains(t, a.body, "access_token")
				for _, secret := range append(c.mock.Secrets(), access, refresh) {
					assert.NotContains(t, a.text, secret)
				}
			}
		})
	}
}

func TestDiscovery(t *testing.T) {
	c := newClient(t, Config{})
	a := c.must(200, "GET", "/ags/servicediscovery", "")
	services := a.body["availableServices"].([]any)
	require.Len(t, services, 3)
	first := services[0].(map[string]any)
	assert.Equal(t, "Operator SSO", first["authServiceName"])
	assert.Equal(t, map[string]any{"logo": "https://assets.example.com/operator.png", "name": "Operator sign-in"}, first["displayAttributes"])
	endpoints := first["endpoints"].([]any)
	require.Len(t, endpoints, 8)
	assert.Equal(t, map[string]any{"name": "SIGNONWITHSESSIONTOKEN", "path": "/signOnWithSessionToken", "parameterProperties": []any{
		map[string]any{"name": "sessionToken", "mandatory": true, "isPassword": true}}}, endpoints[3])
	assert.Equal(t, "application/json", a.header.Get("Content-Type"))

	c.must(404, "GET", "/ags/servicediscovery", "", "nv-tenant-id", "empty")
	c.must(404, "GET", "/ags/servicediscovery", "", "nv-tenant-id", "nobody")
	c.must(200, "GET", "/ags/servicediscovery", "", "nv-tenant-id", "", "x-auth-service-id", "")
	c.must(200, "GET", "/ags/servicediscovery", "", "token", "anything")
	refused := c.must(405, "POST", "/ags/servicediscovery", "")
	assert.Equal(t, "GET", refused.header.Get("Allow"))
	c.must(405, "GET", "/ags/signOn", "")
}

func TestSessionTokensAreSingleUse(t *testing.T) {
	c := newClient(t, Config{})
	body := "{" + parameters("sessionToken", c.session("1663")) + "," + nth("PUB_989") + "}"
	c.must(201, "POST", "/ags/signOnWithSessionToken", body)
	again := c.must(403, "POST", "/ags/signOnWithSessionToken", body)
	assert.Equal(t, 20020.0, again.code())

	t.Run("a refused sign-on does not use it up", func(t *testing.T) {
		token := parameters("sessionToken", c.session("1663"))
		c.must(404, "POST", "/ags/signOnWithSessionToken", "{"+token+","+nth("nobody")+"}")
		c.must(201, "POST", "/ags/signOnWithSessionToken", "{"+token+","+nth("PUB_989")+"}")
	})
	t.Run("it ends after ten minutes", func(t *testing.T) {
		token := parameters("sessionToken", c.session("1663"))
		c.mock.Advance(10 * 60 * 1e9)
		c.must(401, "POST", "/ags/signOnWithSessionToken", "{"+token+","+nth("PUB_989")+"}")
	})
}

func TestSeveralAccounts(t *testing.T) {
	c := newClient(t, Config{})
	credentials := parameters("username", "multi", "password", c.mock.secret.password)
	offered := c.must(300, "POST", "/ags/signOn", "{"+credentials+","+firstTime+"}")
	accounts := offered.body["accounts"].([]any)
	require.Len(t, accounts, 6)
	for i, id := range []string{"2001", "2002", "2003"} {
		one := accounts[i].(map[string]any)
		assert.Contains(t, one["accountInformation"], `"account":"`+id+`"`)
		picked := c.must(201, "POST", "/ags/subsequentSignOn", `{"parameters":[]}`, "User-Token", one["userAccountToken"].(string))
		assert.Equal(t, id, picked.body["accountId"])
		assert.Equal(t, "phone", claims(t, picked.body["access_token"])["playoutDeviceClass"])
	}
	t.Run("accounts that are shut out or full", func(t *testing.T) {
		for i, code := range []int{20002, 20001, 20007} {
			token := accounts[3+i].(map[string]any)["userAccountToken"].(string)
			refused := c.must(403, "POST", "/ags/subsequentSignOn", `{"parameters":[]}`, "User-Token", token)
			assert.EqualValues(t, code, refused.body["code"])
		}
	})
	t.Run("a token of signOn is none of register", func(t *testing.T) {
		token := accounts[0].(map[string]any)["userAccountToken"].(string)
		c.must(401, "POST", "/ags/subsequentRegister", `{"parameters":[]}`, "User-Token", token)
	})
	t.Run("registration", func(t *testing.T) {
		offered := c.must(300, "POST", "/ags/register/tvkey", "{"+credentials+"}")
		token := offered.body["accounts"].([]any)[1].(map[string]any)["userAccountToken"].(string)
		a := c.must(201, "POST", "/ags/subsequentRegister", `{"parameters":[]}`, "User-Token", token)
		assert.Empty(t, a.text)
	})
}

func TestDevices(t *testing.T) {
	c := newClient(t, Config{})
	made := c.control("POST", "/control/accounts", `{"deviceLimit":2}`)
	id := made.body["accountId"].(string)
	first, second := c.signedOn(id, firstTime), c.signedOn(id, firstTime)
	assert.NotEqual(t, first.body["client_id"], second.body["client_id"], "a repeated description makes another device")
	third := c.signOn(id, firstTime)
	assert.Equal(t, 403, third.status)
	assert.Equal(t, 20007.0, third.code())
	again := c.signedOn(id, nth(first.body["client_id"].(string)))
	assert.Equal(t, first.body["client_id"], again.body["client_id"])

	t.Run("a disabled device does not count", func(t *testing.T) {
		c.control("POST", "/control/devices/nagra/"+first.body["client_id"].(string), `{"status":"DISABLED"}`)
		assert.Equal(t, 403, c.refresh(first).status)
		assert.Equal(t, 20004.0, c.refresh(first).code())
		c.signedOn(id, firstTime)
	})
	t.Run("a deleted device is refused and makes room", func(t *testing.T) {
		c.control("POST", "/control/devices/nagra/"+second.body["client_id"].(string), `{"deleted":true}`)
		assert.Equal(t, 20003.0, c.refresh(second).code())
		c.signedOn(id, firstTime)
		view := c.control("GET", "/control/accounts/nagra/"+id, "")
		assert.Len(t, view.body["devices"], 4)
	})
}

func TestSigningOutLeavesOthersAlone(t *testing.T) {
	c := newClient(t, Config{})
	a, b := c.signedOn("1663", nth("PUB_989")), c.signedOn("1663", nth("PUB_994"))
	require.Equal(t, 200, c.signOut(a).status)
	assert.Equal(t, 401, c.refresh(a).status)
	assert.Equal(t, 200, c.refresh(b).status)
	again := c.signedOn("1663", nth("PUB_989"))
	assert.Equal(t, 200, c.refresh(again).status, "signing on again works")

	t.Run("in the load population", func(t *testing.T) {
		body := "{" + parameters("sessionToken", c.mock.secret.population+"-77") + "," + nth("LOAD_77") + "}"
		one := c.must(201, "POST", "/ags/signOnWithSessionToken", body)
		require.Equal(t, 200, c.signOut(one).status)
		assert.Equal(t, 401, c.refresh(one).status)
		assert.Equal(t, 200, c.refresh(c.must(201, "POST", "/ags/signOnWithSessionToken", body)).status)
	})
}

func TestCompanionApp(t *testing.T) {
	c := newClient(t, Config{})
	companion := c.signedOn("1663", nth("PUB_989"))
	code := c.must(200, "GET", "/dsra/v1/user/deviceRegistrationCode", "")
	assert.Equal(t, 300000.0, code.body["expiresAfterMillis"])
	poll := func() answer {
		return c.do("PUT", "/dsra/v1/user/signOnActivationToken", "{"+firstTime+"}", "Authorization", "Bearer "+code.body["dsraToken"].(string))
	}
	assert.Equal(t, 204, poll().status)
	approve := `{"deviceRegistrationCode":"` + code.body["deviceRegistrationCode"].(string) + `"}`
	c.must(403, "PUT", "/dsra/v1/user/deviceRegistrationCode/actions/approve", approve, "Authorization", "Bearer x")
	c.must(202, "PUT", "/dsra/v1/user/deviceRegistrationCode/actions/approve", approve, "Authorization", "Bearer "+companion.body["access_token"].(string))
	approved := poll()
	require.Equal(t, 202, approved.status, approved.text)
	signedOn := c.must(201, "POST", "/ias/v3/token/actions/signOnBySignOnActivationToken", "", "Authorization", "Bearer "+approved.body["signOnActivationToken"].(string))
	assert.Equal(t, "1663", signedOn.body["accountId"])
	assert.Equal(t, approved.body["clientId"], signedOn.body["client_id"])
}

func TestSurroundings(t *testing.T) {
	c := newClient(t, Config{})
	signedOn := c.signedOn("1667", nth("LIM_1"))
	access := signedOn.body["access_token"].(string)
	for _, header := range []string{"Authorization", "Client-token", "token"} {
		a := c.must(200, "GET", "/adm/v1/user/devices", "", header, access)
		require.Len(t, a.body["devices"], 2)
		assert.Equal(t, "LIM_1", a.body["devices"].([]any)[0].(map[string]any)["_id"])
	}
	c.must(403, "GET", "/adm/v1/user/devices?token="+access, "")
	refused := c.must(403, "GET", "/adm/v1/user/devices", "", "Authorization", "Bearer "+signedOn.body["refresh_token"].(string))
	assert.Equal(t, "99999:403", refused.body["resultCode"])
	c.must(201, "GET", "/adm/v1/user/devices/amiapproved", "", "Authorization", "Bearer "+access)
	c.must(200, "POST", "/ias/v3/token/actions/refresh", "", "Authorization", "Bearer "+signedOn.body["refresh_token"].(string))
	c.must(403, "POST", "/ias/v3/token/actions/refresh", "", "Authorization", "Bearer "+access)
}

func TestControl(t *testing.T) {
	c := newClient(t, Config{Seed: 9})
	t.Run("wants its token", func(t *testing.T) {
		r := httptest.NewRequest("GET", "/control/state", nil)
		assert.Equal(t, 401, c.send(c.mock.Control(), r).status)
		r.Header.Set("Authorization", "Bearer wrong")
		assert.Equal(t, 401, c.send(c.mock.Control(), r).status)
	})
	t.Run("state", func(t *testing.T) {
		a := c.control("GET", "/control/state", "")
		assert.Equal(t, "2030-03-04T05:06:07Z", a.body["now"])
		assert.Equal(t, []any{}, a.body["faults"])
		assert.Equal(t, []any{}, a.body["choices"])
		assert.Equal(t, 20.0, a.body["devices"])
	})
	t.Run("clock of one account", func(t *testing.T) {
		one := c.control("POST", "/control/accounts", `{"tenant":"nagra"}`).body["accountId"].(string)
		signedOn := c.signedOn(one, firstTime)
		moved := c.control("POST", "/control/clock", `{"advance":"48h","tenant":"nagra","account":"`+one+`"}`)
		assert.Equal(t, "2030-03-06T05:06:07Z", moved.body["now"])
		assert.Equal(t, 403, c.refresh(signedOn).status)
		assert.Equal(t, "2030-03-04T05:06:07Z", c.control("GET", "/control/state", "").body["now"])
		c.signedOn(one, firstTime) // a new session starts in the account's own time
	})
	t.Run("clock of all", func(t *testing.T) {
		assert.Equal(t, "2030-03-04T06:06:07Z", c.control("POST", "/control/clock", `{"advance":"3600s"}`).body["now"])
		assert.Equal(t, "2030-03-04T05:06:07Z", c.control("POST", "/control/clock", `{"reset":true}`).body["now"])
	})
	t.Run("suspend and reactivate", func(t *testing.T) {
		made := c.control("POST", "/control/accounts", `{}`)
		id := made.body["accountId"].(string)
		credentials := parameters("username", made.body["username"].(string), "password", made.body["password"].(string))
		signedOn := c.must(201, "POST", "/ags/signOn", "{"+credentials+","+firstTime+"}")
		c.control("POST", "/control/accounts/nagra/"+id, `{"status":"SUSPENDED"}`)
		assert.Equal(t, 20002.0, c.refresh(signedOn).code())
		c.control("POST", "/control/accounts/nagra/"+id, `{"status":"ACTIVE"}`)
		assert.Equal(t, 200, c.refresh(signedOn).status)
	})
	t.Run("session token that expires", func(t *testing.T) {
		token := c.control("POST", "/control/session-tokens", `{"tenant":"nagra","accountId":"1663","expiresIn":"60s"}`).body["sessionToken"].(string)
		body := "{" + parameters("sessionToken", token) + "," + nth("PUB_989") + "}"
		c.mock.Advance(60e9)
		c.must(401, "POST", "/ags/signOnWithSessionToken", body)
		c.mock.Advance(-1e9)
		c.must(201, "POST", "/ags/signOnWithSessionToken", body)
	})
	t.Run("platform", func(t *testing.T) {
		a := c.control("POST", "/control/platform/nagra", `{"vpnBlocking":false}`)
		assert.Equal(t, map[string]any{"vpnBlocking": false, "geoBlocking": true, "geoFiltering": true}, a.body)
		assert.Equal(t, 201, c.signOn("1663", nth("PUB_989"), "X-Forwarded-For", "198.51.100.7").status)
	})
	t.Run("a device of the load population", func(t *testing.T) {
		a := c.control("POST", "/control/devices/nagra/LOAD_5", `{"status":"DISABLED"}`)
		assert.Equal(t, "L5", a.body["accountId"])
		body := "{" + parameters("sessionToken", c.mock.secret.population+"-5") + "," + nth("LOAD_5") + "}"
		c.must(403, "POST", "/ags/signOnWithSessionToken", body)
	})
	t.Run("refuses what it does not understand", func(t *testing.T) {
		for path, body := range map[string]string{
			"/control/accounts":            `{"status":"HAPPY"}`,
			"/control/clock":               `{"advance":"soon"}`,
			"/control/faults":              `{"names":["none such"]}`,
			"/control/choices":             `{"names":["none such"]}`,
			"/control/accounts/nagra/1663": `{"limit":1}`,
			"/control/devices/nagra/OTH_1": `{"activity":"ASLEEP"}`,
			"/control/session-tokens":      `{"expiresIn":"1"}`,
		} {
			a := c.control("POST", path, body)
			assert.Equal(t, 400, a.status, path)
			assert.NotEmpty(t, a.body["message"], path)
		}
		assert.Equal(t, 404, c.control("POST", "/control/devices/nagra/nobody", `{}`).status)
		assert.Equal(t, 404, c.control("GET", "/control/accounts/nobody/1", ``).status)
	})
	t.Run("choices and faults", func(t *testing.T) {
		require.NoError(t, c.mock.Use(nil, []string{"session-sign-on-200"}))
		assert.Equal(t, 200, c.signOn("1663", nth("PUB_989")).status)
		a := c.control("POST", "/control/faults", `{"names":["device-disabled-code"]}`)
		assert.Equal(t, []any{"device-disabled-code"}, a.body["faults"])
		assert.Equal(t, 20003.0, c.signOn("1663", nth("PUB_990")).code())
		a = c.control("POST", "/control/choices", `{"names":["pretty"]}`)
		assert.Equal(t, map[string]any{"faults": []any{"device-disabled-code"}, "choices": []any{"pretty"}}, a.body)
		assert.Contains(t, c.must(201, "POST", "/ags/signOnWithSessionToken", "{"+parameters("sessionToken", c.session("1663"))+","+nth("PUB_989")+"}").text, "\n  \"access_token\"")
		require.Equal(t, 200, c.control("POST", "/control/reset", "").status)
		assert.Equal(t, []any{"session-sign-on-200"}, c.control("GET", "/control/state", "").body["faults"], "those of the start come back")
		require.NoError(t, c.mock.Use(nil, nil))
	})
	t.Run("reset", func(t *testing.T) {
		require.Equal(t, 200, c.control("POST", "/control/reset", "").status)
		assert.Equal(t, 20.0, c.control("GET", "/control/state", "").body["devices"])
		assert.Equal(t, 404, c.control("GET", "/control/accounts/nagra/N1", "").status)
	})
}

func TestFirstTimeSignOnsAreBounded(t *testing.T) {
	c := newClient(t, Config{MaxDevices: 23})
	for range 3 {
		c.signedOn("1663", firstTime)
	}
	refused := c.signOn("1663", firstTime)
	assert.Equal(t, 503, refused.status)
	assert.Contains(t, refused.body["message"], "as many devices as it may")
	assert.Equal(t, 1.0, c.control("GET", "/control/state", "").body["refusedDevices"])
	c.signedOn("1663", nth("PUB_989"))
}
