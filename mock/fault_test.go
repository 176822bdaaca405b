package mock

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/ags"
)

// The requirements that no fault of an http.Handler can break, with the reason.
var unbreakable = map[string]string{
	"GW-04":   "who serves the mock decides about https",
	"SOST-28": "net/http shows names of headers in one form only",
}

func TestFaultsAreWellNamed(t *testing.T) {
	levels := map[string]ags.Requirement{}
	for _, r := range ags.Requirements {
		levels[r.ID] = r
	}
	seen, broken := map[string]bool{}, map[string]bool{}
	name := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)
	for _, f := range Faults() {
		assert.Regexp(t, name, f.Name)
		assert.False(t, seen[f.Name], "two faults are called %s", f.Name)
		seen[f.Name], broken[f.Requirement] = true, true
		assert.NotEmpty(t, f.Summary, f.Name)
		r, known := levels[f.Requirement]
		if assert.True(t, known, "%s breaks %s, which does not exist", f.Name, f.Requirement) {
			assert.NotEqual(t, ags.Probe, r.Level, "%s breaks %s, which is a probe", f.Name, f.Requirement)
		}
		found, has := FaultByName(f.Name)
		assert.True(t, has)
		assert.Equal(t, f.Summary, found.Summary)
	}
	assert.GreaterOrEqual(t, len(seen), 150)
	for id, r := range levels {
		if r.Level == ags.Probe {
			continue
		}
		if reason, is := unbreakable[id]; is {
			assert.False(t, broken[id], "%s can be broken after all, though %s", id, reason)
			continue
		}
		assert.True(t, broken[id], "no fault breaks %s: %s", id, r.Text)
	}
	_, has := FaultByName("none such")
	assert.False(t, has)
}

func TestChoicesAreWellNamed(t *testing.T) {
	seen := map[string]bool{}
	for _, h := range Choices() {
		assert.False(t, seen[h.Name], "two choices are called %s", h.Name)
		seen[h.Name] = true
		assert.NotEmpty(t, h.Summary, h.Name)
		assert.True(t, h.Apply != nil || h.Transport != nil || len(h.near) > 0 || h.outcomes != nil || h.means.rules != nil || h.means.reply != nil || h.means.draft != nil, h.Name)
	}
	assert.GreaterOrEqual(t, len(seen), 40)
}

// TestFaultsShow runs one long sequence of calls against a right mock and against one with each fault: something must
// differ.
func TestFaultsShow(t *testing.T) {
	right := battery(t, Config{}, nil)
	require.Equal(t, right, battery(t, Config{}, nil), "the sequence is the same each time")
	for _, f := range Faults() {
		if len(f.near) > 0 || strings.HasPrefix(f.Name, "state-") || strings.HasSuffix(f.Name, "-third-try") || slices.ContainsFunc(slices.Concat(besideFaults(), forgedFaults(), jsonFaults(), oddFaults(), tenantFaults()), func(o Fault) bool { return o.Name == f.Name }) {
			continue // no right call shows them; the suite does
		}
		if f.Name == "race-same-client-id" || f.Name == "race-crossed-refreshes" {
			continue // TestRaces
		}
		if f.Every > 3 {
			continue // the sequence has too few calls; the suite repeats them
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			different(t, right, battery(t, Config{Faults: []Fault{f}}, right))
		})
	}
}

// TestChoicesShow is the same for choices.
func TestChoicesShow(t *testing.T) {
	right := battery(t, Config{}, nil)
	for _, h := range Choices() {
		if len(h.near) > 0 || h.Name == "byte-order-mark" || h.Name == "any-device-description" || slices.Contains([]string{"operator-end-in-text", "operator-account-number", "operator-leeway"}, h.Name) || h.Name == "pick-wants-no-client-id" || slices.ContainsFunc(oddChoices(), func(o Choice) bool { return o.Name == h.Name }) {
			continue // no right call shows them; the suite does
		}
		t.Run(h.Name, func(t *testing.T) {
			t.Parallel()
			switch h.Name {
			case "slow-300ms":
				begin := time.Now()
				overTheWire(t, h)
				assert.GreaterOrEqual(t, time.Since(begin), 300*time.Millisecond)
			case "gzip", "early-hints", "no-date", "trailers", "connection-close":
				overTheWire(t, h)
			default:
				different(t, right, battery(t, Config{Choices: []Choice{h}}, right))
			}
		})
	}
}

func different(t *testing.T, right, spoiled []string) {
	t.Helper()
	for i := range min(len(right), len(spoiled)) {
		if right[i] != spoiled[i] {
			t.Logf("shows at answer %d:\n  %.300s\n  %.300s", i, right[i], spoiled[i])
			return
		}
	}
	assert.NotEqual(t, len(right), len(spoiled), "nothing differs")
}

func overTheWire(t *testing.T, h Choice) {
	server := httptest.NewServer(New(Config{Choices: []Choice{h}}))
	defer server.Close()
	hints := 0
	trace := &httptrace.ClientTrace{Got1xxResponse: func(status int, _ textproto.MIMEHeader) error { hints = status; return nil }}
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "GET", server.URL+"/ags/servicediscovery", nil)
	require.NoError(t, err)
	response, err := server.Client().Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	assert.Equal(t, 200, response.StatusCode)
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.Contains(t, string(text), "availableServices")
	switch h.Name {
	case "gzip":
		assert.True(t, response.Uncompressed)
	case "early-hints":
		assert.Equal(t, 103, hints)
	case "no-date":
		assert.Empty(t, response.Header.Get("Date"))
	case "trailers":
		assert.Contains(t, response.Trailer, "Server-Timing")
	case "connection-close":
		assert.True(t, response.Close)
	}
}

// battery sends a fixed sequence of calls that touches every rule, and returns all answers, or those up to the first
// that is not the right one.
func battery(t *testing.T, config Config, right []string) []string {
	log := &answerLog{right: right}
	c := newClient(t, config)
	c.log = log
	func() {
		defer func() {
			if p := recover(); p != nil && p != errDiffers {
				panic(p)
			}
		}()
		sendAll(t, c)
	}()
	return log.answers
}

func sendAll(t *testing.T, c client) {
	text := func(a answer, name string) string { s, _ := a.body[name].(string); return s }
	post := func(path, body string, header ...string) answer { return c.do("POST", "/ags/"+path, body, header...) }
	session := func(account string) string {
		token := c.operatorToken(func(t *jwt.Token) { t.Claims.(jwt.MapClaims)["OpfAccountId"] = account })
		return parameters("sessionToken", text(post("getSessionToken", "{"+parameters("OperatorAuthToken", token)+"}"), "sessionToken"))
	}
	fixed := func(account string) string {
		a := c.control("POST", "/control/session-tokens", `{"accountId":"`+account+`"}`)
		return parameters("sessionToken", text(a, "sessionToken"))
	}
	credentials := func(name string) string { return parameters("username", name, "password", c.mock.secret.password) }
	bearer := func(a answer, name string) []string { return []string{"Authorization", "Bearer " + text(a, name)} }
	refresh := func(a answer, header ...string) answer {
		return post("refresh", `{"parameters":[]}`, append(bearer(a, "refresh_token"), header...)...)
	}
	signOut := func(a answer, header ...string) answer {
		return post("signOut", `{"parameters":[]}`, append(bearer(a, "access_token"), header...)...)
	}
	newAccount := func(body string) string { return text(c.control("POST", "/control/accounts", body), "accountId") }
	on := func(account, device string, header ...string) answer {
		return post("signOnWithSessionToken", "{"+fixed(account)+","+device+"}", header...)
	}
	platforms := []string{`"deviceInformation":{"device":{"OS":{"type":"Tizen"}}}`, `"deviceInformation":{"device":{"screen":{"height":1080}},"securePlayer":{"DRMs":["SSP"]},"playoutDeviceClass":"phone"}`}
	bad := []string{"", "{", "[]", "{}", `{"parameters":{}}`, `{"parameters":"x"}`, `{"parameters":[]}`, `{"parameters":[{"name":"x"}]}`, `{"parameters":[{"value":"x"}]}`,
		`{"parameters":[],"clientId":"PUB_989"}`, `{"clientId":"PUB_989"}`}
	calls := []string{"signOn", "subsequentSignOn", "getSessionToken", "signOnWithSessionToken", "refresh", "signOut", "register/tvkey", "subsequentRegister"}

	for _, tenant := range []string{"nagra", "empty", "nobody", ""} {
		c.do("GET", "/ags/servicediscovery", "", "nv-tenant-id", tenant)
	}
	c.do("GET", "/ags/servicediscovery", "", "token", "unusable")
	c.do("DELETE", "/ags/signOn", "")
	for _, path := range calls {
		for _, body := range bad {
			post(path, body)
		}
		post(path, `{"parameters":[]}`, "x-auth-service-id", "")
		post(path, `{"parameters":[]}`, "x-auth-service-id", "nobody")
		post(path, `{"parameters":[]}`, "nv-tenant-id", "nobody")
		post(path, `{"parameters":[]}`, "nv-tenant-id", "", "tenantId", "acme")
		post(path, `{"parameters":[]}`, "Content-Type", "text/plain")
		post(path, `{"parameters":[]}`, "Authorization", "Bearer garbage", "User-Token", "garbage")
	}
	for _, change := range []func(*jwt.Token){nil,
		func(t *jwt.Token) { t.Header["kid"] = "other" },
		func(t *jwt.Token) { t.Claims.(jwt.MapClaims)["exp"] = 1 },
		func(t *jwt.Token) { t.Claims.(jwt.MapClaims)["aud"] = "x" },
		func(t *jwt.Token) { t.Claims.(jwt.MapClaims)["typ"] = "x" },
		func(t *jwt.Token) { t.Claims.(jwt.MapClaims)["OpfTenantId"] = "acme" },
		func(t *jwt.Token) { t.Claims.(jwt.MapClaims)["OpfAccountId"] = "nobody" },
		func(t *jwt.Token) { t.Method, t.Header["alg"] = jwt.SigningMethodHS512, "HS512" }} {
		post("getSessionToken", "{"+parameters("OperatorAuthToken", c.operatorToken(change))+"}")
	}
	good := c.operatorToken(nil)
	post("getSessionToken", "{"+parameters("OperatorAuthToken", good[:len(good)-4]+"AAAA")+"}")
	post("getSessionToken", `{"parameters":[]}`, "OperatorAuthToken", good)
	post("signOnWithSessionToken", "{"+session("1663")+","+nth("PUB_989")+"}")
	post("signOnWithSessionToken", "{"+session("1663")+","+nth("PUB_989")+"}", "x-auth-service-id", "Customer Auth Service")

	one := newAccount(`{"deviceLimit":3,"groupLimit":{"class":"tv","limit":1}}`)
	above := newAccount(`{"deviceLimit":2}`)
	on(above, firstTime)
	on(above, firstTime)
	c.control("POST", "/control/accounts/nagra/"+above, `{"deviceLimit":1}`)
	on(above, firstTime)
	first := on(one, firstTime, "x-correlation-id", "corr")
	device := text(first, "client_id")
	second := on(one, platforms[1])
	on(one, platforms[0])
	on(one, firstTime)
	on(one, nth(device))
	on(one, `"deviceInformation":{}`)
	on("1663", `"deviceInformation":{"somethingElse":1,"securePlayer":{},"device":{"hardware":{"somethingElse":1}}}`)
	on(one, nth(device)+","+firstTime)
	on(one, "\"x\":1")
	on(one, nth(device)+`,"unknown":1`)
	on(one, nth("nobody"))
	on(one, nth("OTH_1"))
	used := "{" + fixed(one) + "," + nth(device) + "}"
	post("signOnWithSessionToken", used)
	post("signOnWithSessionToken", used)
	before := session("1663")
	session("1663") // which may end it
	post("signOnWithSessionToken", "{"+before+","+nth("PUB_989")+"}")
	post("signOnWithSessionToken", strings.Replace("{"+fixed(one)+","+nth(device)+"}", "sessionToken", "SESSIONTOKEN", 1))
	post("signOnWithSessionToken", "{"+parameters("sessionToken", "never-issued")+","+nth(device)+"}")
	for _, situation := range standingSituations {
		post("signOnWithSessionToken", "{"+parameters("sessionToken", c.mock.secret.standing[situation.name])+","+firstTime+"}")
		post("signOnWithSessionToken", "{"+parameters("sessionToken", c.mock.secret.standing[situation.name])+`,"deviceInformation":{"playoutDeviceClass":"mobileDevice"}}`)
	}
	for _, known := range []string{"PUB_989", "PUB_990", "PUB_991", "PUB_992", "PUB_993"} {
		on("1663", nth(known))
	}
	for _, how := range []string{firstTime, nth("LIM_1")} {
		post("signOn", "{"+credentials("full-1667")+","+how+"}")
	}
	for _, from := range []string{"203.0.113.7", "198.51.100.7", "192.0.2.7"} {
		on("1663", firstTime, "X-Forwarded-For", from)
		post("signOn", "{"+credentials("dave")+","+nth("PUB_989")+"}", "X-Forwarded-For", from)
		post("signOn", "{"+credentials("dave")+","+firstTime+"}", "X-Forwarded-For", from)
		accounts, _ := post("signOn", "{"+credentials("multi")+","+firstTime+"}").body["accounts"].([]any)
		for _, element := range accounts {
			picked, _ := element.(map[string]any)
			token, _ := picked["userAccountToken"].(string)
			post("subsequentSignOn", `{"parameters":[]}`, "User-Token", token, "X-Forwarded-For", from)
		}
	}
	c.control("POST", "/control/platform/nagra", `{"vpnBlocking":false,"geoBlocking":false,"geoFiltering":false}`)
	on("1663", firstTime, "X-Forwarded-For", "203.0.113.7")

	// Credentials.
	post("signOn", "{"+credentials("dave")+","+nth("PUB_989")+"}")
	post("signOn", "{"+credentials("dave")+","+firstTime+"}")
	post("signOn", "{"+credentials("dave")+","+nth("nobody")+"}")
	post("signOn", "{"+credentials("dave")+","+nth("OTH_1")+"}")
	post("signOn", "{"+credentials("dave")+"}")
	post("signOn", "{"+credentials("multi")+","+nth("OTH_1")+"}")
	post("signOn", "{"+credentials("multi")+","+nth("MUL_1")+"}")
	post("signOn", "{"+parameters("username", "dave", "password", "wrong")+","+nth("PUB_989")+"}")
	post("signOn", "{"+parameters("username", "dave")+","+nth("PUB_989")+"}")
	post("signOn", "{"+credentials("suspended")+","+nth("SUS_1")+"}")
	post("signOn", "{"+credentials("cancelled")+","+nth("CAN_1")+"}")
	for _, path := range []string{"signOn", "register/tvkey"} {
		offered := post(path, "{"+credentials("multi")+","+firstTime+"}")
		follow := map[string]string{"signOn": "subsequentSignOn", "register/tvkey": "subsequentRegister"}[path]
		accounts, _ := offered.body["accounts"].([]any)
		for _, element := range accounts {
			picked, _ := element.(map[string]any)
			token, _ := picked["userAccountToken"].(string)
			post(follow, `{"parameters":[],`+nth("OTH_1")+`}`, "User-Token", token)
			made := post(follow, `{"parameters":[]}`, "User-Token", token)
			post(follow, `{"parameters":[],`+nth(text(made, "client_id"))+`}`, "User-Token", token)
			refresh(made)
			post(follow, `{"parameters":[]}`, "User-Token", token, "x-auth-service-id", "")
		}
	}
	post("register/tvkey", "{"+credentials("dave")+"}")
	post("register/tvkey", "{"+parameters("username", "dave", "password", "wrong")+"}")
	post("register/tvkey", "{"+credentials("suspended")+"}")
	post("register/toaster", "{"+credentials("dave")+"}")

	// Tokens and states.
	chain := refresh(first)
	for range 3 {
		chain = refresh(chain)
	}
	refresh(first)
	refresh(first, "nv-tenant-id", "acme")
	refresh(first, "x-auth-service-id", "")
	token := text(first, "refresh_token")
	post("refresh", "", "Authorization", token)
	post("refresh", `{"parameters":[]}`)
	post("refresh", `{"parameters":[]}`, bearer(first, "access_token")...)
	if len(token) > 200 {
		post("refresh", `{"parameters":[]}`, "Authorization", "Bearer "+token[:len(token)-4]+"AAAA")
	}
	post("refresh", `{"parameters":[]}`, "Authorization", "Bearer "+c.mock.secret.expiredRefresh)
	post("signOut", `{"parameters":[]}`, bearer(first, "refresh_token")...)
	c.do("GET", "/adm/v1/user/devices", "", bearer(first, "access_token")...)
	c.do("GET", "/adm/v1/user/devices", "", "Authorization", "Bearer garbage")
	c.do("POST", "/ias/v3/token/actions/refresh", "", bearer(first, "refresh_token")...)
	for _, kind := range []string{"access_token", "refresh_token"} { // tokens of another kind than is wanted
		post("signOnWithSessionToken", "{"+parameters("sessionToken", text(first, kind))+","+nth(device)+"}")
		post("subsequentSignOn", `{"parameters":[]}`, "User-Token", text(first, kind))
		post("subsequentRegister", `{"parameters":[]}`, "User-Token", text(first, kind))
	}
	signOut(second, "nv-tenant-id", "acme")
	code := c.do("GET", "/dsra/v1/user/deviceRegistrationCode", "")
	c.do("PUT", "/dsra/v1/user/deviceRegistrationCode/actions/approve", `{"deviceRegistrationCode":"`+text(code, "deviceRegistrationCode")+`"}`, bearer(second, "access_token")...)
	activated := c.do("PUT", "/dsra/v1/user/signOnActivationToken", `{"clientId":"`+text(second, "client_id")+`"}`, "Authorization", "Bearer "+text(code, "dsraToken"))
	c.do("POST", "/ias/v3/token/actions/signOnBySignOnActivationToken", "", "Authorization", "Bearer "+text(activated, "signOnActivationToken"))
	for _, state := range []string{"SUSPENDED", "CANCELLED", "ACTIVE"} {
		c.control("POST", "/control/accounts/nagra/"+one, `{"status":"`+state+`"}`)
		refresh(first)
		on(one, nth(device))
	}
	c.control("POST", "/control/accounts/nagra/1663", `{"status":"SUSPENDED"}`)
	post("signOn", "{"+credentials("dave")+","+nth("PUB_989")+"}")
	c.control("POST", "/control/accounts/nagra/1663", `{"status":"ACTIVE"}`)
	for _, state := range []string{`{"status":"DISABLED"}`, `{"status":"ENABLED","activity":"INACTIVE"}`, `{"activity":"ACTIVE","deleted":true}`} {
		c.control("POST", "/control/devices/nagra/"+device, state)
		refresh(first)
		on(one, nth(device))
		on(one, firstTime)
	}
	c.control("POST", "/control/devices/nagra/"+device, `{"deleted":false}`)
	c.control("GET", "/control/accounts/nagra/"+one, "")
	signOut(first, "x-auth-service-id", "")
	signOut(first)
	signOut(first)
	refresh(first)
	refresh(second)
	on(one, nth(device))

	// Time.
	two := newAccount(`{}`)
	lasting := on(two, firstTime)
	for range 16 {
		c.mock.Advance(45 * time.Hour)
		if next := refresh(lasting); next.status == http.StatusOK {
			lasting = next
		}
	}
	on(two, firstTime)
	forgotten := on(two, firstTime)
	c.mock.Advance(49 * time.Hour)
	refresh(forgotten)
	on(two, firstTime)
	for range 210 { // what is rare
		post("signOnWithSessionToken", "{"+parameters("sessionToken", c.mock.secret.population+"-7")+","+nth("LOAD_7")+"}")
	}
	fresh := c.operatorToken(func(*jwt.Token) {})
	post("getSessionToken", "{"+parameters("OperatorAuthToken", fresh)+"}", "x-auth-service-id", "Customer Auth Service")
	last := post("signOnWithSessionToken", "{"+session(firstAccount)+","+nth(firstDevice)+"}")
	post("signOut", `{"parameters":[`, bearer(last, "access_token")...)
}

func TestRaces(t *testing.T) {
	atOnce := func(send func(i int) answer) (all []answer) {
		var mutex sync.Mutex
		var wait sync.WaitGroup
		for i := range 2 {
			wait.Go(func() {
				a := send(i)
				mutex.Lock()
				defer mutex.Unlock()
				all = append(all, a)
			})
		}
		wait.Wait()
		return all
	}
	// No time passes there while a call is on its way, so that the other one meets it however slow the machine.
	inBubble := func(name string, test func(t *testing.T)) {
		t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
	}
	for _, f := range []string{"", "race-same-client-id"} {
		inBubble("first-time "+f, func(t *testing.T) {
			var faults []string
			if f != "" {
				faults = []string{f}
			}
			c := newClient(t, Config{})
			require.NoError(t, c.mock.Use(nil, faults))
			sessions := []string{c.session("1663"), c.session("1663")}
			all := atOnce(func(i int) answer {
				return c.do("POST", "/ags/signOnWithSessionToken", "{"+parameters("sessionToken", sessions[i])+","+firstTime+"}")
			})
			same := all[0].body["client_id"] == all[1].body["client_id"]
			assert.Equal(t, f != "", same)
			one := c.signedOn("1663", firstTime)
			other := c.signedOn("1663", firstTime)
			assert.NotEqual(t, one.body["client_id"], other.body["client_id"], "one after the other all is well")
		})
	}
	inBubble("crossed refreshes", func(t *testing.T) {
		c := newClient(t, Config{})
		require.NoError(t, c.mock.Use(nil, []string{"race-crossed-refreshes"}))
		signedOn := []answer{c.signedOn("1663", nth("PUB_989")), c.signedOn("1700", nth("OTH_1"))}
		all := atOnce(func(i int) answer { return c.refresh(signedOn[i]) })
		assert.Equal(t, all[0].body["accountId"], all[1].body["accountId"])
	})
}
