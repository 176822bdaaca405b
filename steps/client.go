package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"agstest/ags"
	"agstest/internal/actions"
	"agstest/internal/check"
)

// client is one device with what it holds.
type client struct {
	id       string
	class    string // playoutDeviceClass of its first sign-on
	pair     *check.Pair
	previous *check.Pair
	since    time.Time // when pair came, in the time of the account

	own       bool   // this run made it
	operation string // of the sign-on that made it
	stale     bool   // its tokens are those of a sign-on that other scenarios have seen too
}

// pair is what a client holds after a sign-on.
type pair = check.Pair

// defaultDevice is the deviceInformation of an Android phone, after the platform table of the page on first-time sign-on.
const defaultDevice = `{"securePlayer":{"codecs":["H264"],"streamings":["HLS"],"DRMs":["SSP"]},"device":{"screen":{"height":2560,"width":1440,"density":560},` +
	`"hardware":{"model":"Pixel 8","manufacturer":"Google","type":"Mobile"},"OS":{"type":"Android","version":"14"},` +
	`"CPU":{"neon":"true","frequency":"2.9","cores":"9"},"GPU":{"frequency":null,"cores":null}},"playoutDeviceClass":"mobileDevice","deviceType":"OPEN"}`

// device is the usual deviceInformation of first-time sign-ons: that of the environment file, in which {n} differs from run to run.
func (w *world) device() string {
	template := string(w.run.environment.DeviceInformation)
	if template == "" {
		return defaultDevice
	}
	return strings.ReplaceAll(template, "{n}", strconv.FormatUint(w.run.options.Seed, 36))
}

// shortForm is a count of letters and digits below which an id that is made up in the form of another may well be somebody's.
const shortForm = 12

// unknownClientID is a clientId that nobody has: that of the environment file, or one in the form of a known one, since a service may refuse
// any other form as malformed.
func (w *world) unknownClientID() string {
	if own := w.run.environment.UnknownClientID; own != "" {
		return own
	}
	known := []string{w.run.environment.Situations["active"].ClientID}
	if w.client != nil {
		known = append(known, w.client.id)
	}
	for _, known := range known {
		variable := 0
		for _, c := range known {
			if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
				variable++
			}
		}
		if variable >= shortForm {
			return w.lookalike(known)
		}
	}
	return "agstest_" + w.invented(16)
}

func classOf(device json.RawMessage) string {
	var d struct {
		Class any `json:"playoutDeviceClass"`
	}
	json.Unmarshal(device, &d)
	s, _ := d.Class.(string)
	return s
}

// adopt takes over the tokens of a good answer: the client holds them from now on.
func (w *world) adopt(x *exchange, c *client) error {
	pair, err := readPair(x)
	if err != nil {
		return missf("a body with an access token and a refresh token", "%v", err)
	}
	c.previous, c.pair, c.since = c.pair, pair, x.Received.Add(w.ahead)
	if c.id == "" {
		c.id = pair.ClientID
	}
	if pair.ClientID == "" {
		pair.ClientID = c.id
	}
	return nil
}

// add makes a client the one that acts.
func (w *world) add(c *client) *client {
	w.clients = append(w.clients, c)
	w.client = c
	return c
}

// makeClient makes the scenario act for a device of its account: signed on for the first time on a mock, that of the situation elsewhere.
func (w *world) makeClient(ctx context.Context) error {
	if w.account == nil {
		return unknownf("no account was chosen before; write for example \"Given an account in good standing\"")
	}
	if w.run.control == nil {
		if w.client != nil {
			return nil
		}
		if w.run.environment.Allow.FirstTime && w.account.situation == "active" {
			return w.firstSignOn(ctx, w.device())
		}
		return lacking("situations."+w.account.situation+": {clientId: …}", "the situation %s names no clientId", w.account.situation)
	}
	return w.firstSignOn(ctx, w.device())
}

// firstSignOn signs a new device on with a session token, as a part of the set-up.
func (w *world) firstSignOn(ctx context.Context, device string) error {
	if w.sharesDevices() {
		if err := w.firstTimeShared(ctx, ags.SignOnWithSessionToken, device); err != nil {
			return err
		}
		if x, _ := w.last(); effectiveStatus(x)/100 != 2 || w.client == nil {
			return unknownf("the first-time sign-on that this scenario starts from was answered with %s", w.describe(x))
		}
		return w.renew(ctx)
	}
	r, err := w.firstTimeRequest(ctx, ags.SignOnWithSessionToken, device)
	if err != nil {
		return err
	}
	return w.setUpSignOn(ctx, r, &client{class: classOf([]byte(device)), own: true})
}

// ensureTokens signs the client on if it holds no tokens yet.
func (w *world) ensureTokens(ctx context.Context) error {
	if w.client.pair != nil {
		return w.renew(ctx)
	}
	r, err := w.signOnWithSessionToken(ctx)
	if err != nil {
		return err
	}
	r.set("clientId", rawJSON(w.client.id))
	return w.setUpSignOn(ctx, r, w.client)
}

func (w *world) setUpSignOn(ctx context.Context, r *request, c *client) error {
	x, err := w.send(ctx, r, false)
	if err != nil {
		return err
	}
	if err := w.cautious(x, false); err != nil {
		return err
	}
	if err := w.roomForDevices(x); err != nil {
		return err
	}
	if w.live() && effectiveStatus(x)/100 == 4 && w.run.own.wasSignedOut(c.id) {
		return lacking(fmt.Sprintf("allow: {first-time: true, devices: %d}", manyDevices), "this service removes a device that signs out (%s), and the scenario needs one more", w.describe(x))
	}
	if effectiveStatus(x)/100 != 2 { // another 2xx than the documented one is the judge's to find
		return unknownf("the sign-on that this scenario starts from was answered with %s", w.describe(x))
	}
	if err := w.adopt(x, c); err != nil {
		return unknownf("the sign-on that this scenario starts from gave no tokens: %v", err)
	}
	if w.client != c {
		w.add(c)
	}
	return nil
}

func (w *world) mayCreateDevices() error {
	if w.run.options.Calm != "" {
		return lacking(w.run.options.Calm, "the environment is protected, and a first-time sign-on creates a device")
	}
	if w.run.control == nil && !w.run.environment.Allow.FirstTime {
		return lacking("allow: {first-time: true}", "a first-time sign-on creates a device, which the environment does not allow")
	}
	return nil
}

// hasClient makes sure that there is a device to sign on as.
func (w *world) hasClient() error {
	switch {
	case w.client != nil:
		return nil
	case w.account != nil && w.account.situation != "":
		return lacking("situations."+w.account.situation+": {clientId: …}", "the situation %s names no clientId", w.account.situation)
	}
	return unknownf("no device was chosen before; write for example \"Given a device of the account\"")
}

// ready makes sure that the acting client holds tokens which no other scenario has used.
func (w *world) ready(ctx context.Context) error {
	if err := w.holdsTokens(); err != nil {
		return err
	}
	return w.renew(ctx)
}

func (w *world) holdsTokens() error {
	if w.client == nil || w.client.pair == nil {
		return unknownf("the client holds no tokens; write for example \"Given a client that is signed on\"")
	}
	return nil
}

// roomForDevices tells a refusal for too many devices, which says nothing about the service where an account of the environment file is
// full, from others.
func (w *world) roomForDevices(x *exchange) error {
	if why := w.strangeDevice(x); why != "" {
		return unknownf("%s", why)
	}
	picked := x.request.operation == ags.SubsequentSignOn && x.request.get("deviceInformation") != nil
	if !w.live() || w.refusal || w.limited || !isFull(x) || !x.known.FirstTime && !picked {
		return nil
	}
	code, _ := check.SubCode(x.Exchange)
	return lacking("an account with room for more devices in situations."+w.account.situation,
		"could not tell: the account has no room: that of situations.%s has as many devices as it may (%d), so first-time sign-ons cannot be checked", w.account.situation, code)
}

const strangeDevice = "the service refuses the device that agstest describes"

// strangeDevice tells of a 400 to the device that is described where the environment file describes none: a platform may know classes of its
// own only, which says nothing about what a device of such a class gets. Where a new device was accepted in this run, a 400 has another
// reason.
func (w *world) strangeDevice(x *exchange) string {
	if !w.live() || len(w.run.environment.DeviceInformation) > 0 || effectiveStatus(x) != http.StatusBadRequest || x.tampered != "" || !describesOurs(x) {
		return ""
	}
	w.run.mu.Lock()
	known := w.run.deviceKnown
	w.run.mu.Unlock()
	if known {
		return ""
	}
	return fmt.Sprintf("%s (%s): give deviceInformation in the environment file, with a playoutDeviceClass that the platform knows", strangeDevice, w.describe(x))
}

// describesOurs tells whether a request describes a new device as agstest does.
func describesOurs(x *exchange) bool {
	return x.request.get("clientId") == nil && string(x.request.get("deviceInformation")) == defaultDevice
}

func (w *world) makeTroubledClient(ctx context.Context, state string) error {
	w.refusal = state != "unapproved"
	w.namedRefused = w.refusal
	w.uses(state + "-device")
	if w.limited {
		w.refusal, w.namedRefused = false, false // the device that is signed on next is another one
		if err := w.makeClient(ctx); err != nil {
			return err
		}
		if err := w.fullLive(ctx); err != nil {
			return err
		}
		return w.setDeviceState(ctx, state)
	}
	stage := w.canStage(state+"-device", map[string]actions.Kind{"disabled": actions.Disable, "deleted": actions.Delete}[state])
	if w.run.control == nil && !stage {
		s, err := w.situation(state + "-device")
		if err != nil {
			return err
		}
		if s.ClientID == "" {
			return lacking(w.run.example(state+"-device"), "situations.%s-device names no clientId", state)
		}
		if a := w.account; a != nil && a.situation == "credentials" && (s.AccountID == "" || s.AccountID != w.run.environment.Situations["credentials"].AccountID) {
			return lacking("the same accountId in situations.credentials and situations."+state+"-device",
				"nothing says that the device of situations.%s-device is of the user of situations.credentials", state)
		}
		w.add(&client{id: s.ClientID})
		w.subject = &subject{situation: state + "-device", unknown: "an unknown device", codes: map[string][]int{"disabled": {20004}, "deleted": {20003}}[state], madeUp: madeUpClient}
		return nil
	}
	if err := w.makeClient(ctx); err != nil {
		return err
	}
	return w.setDeviceState(ctx, state)
}

func (w *world) setDeviceState(ctx context.Context, state string) error {
	if w.run.control == nil {
		return w.setDeviceLive(ctx, state)
	}
	change := map[string]any{
		"disabled": map[string]any{"status": "DISABLED"}, "enabled": map[string]any{"status": "ENABLED"}, "deleted": map[string]any{"deleted": true},
		"inactive": map[string]any{"activity": "INACTIVE"}, "unapproved": map[string]any{"approved": false},
	}[state].(map[string]any)
	return w.run.control.setDevice(ctx, w.tenant, w.client.id, change)
}

func (w *world) useForeignDevice(ctx context.Context) error {
	w.refusal = true
	w.uses("foreign-device")
	if w.run.control == nil {
		s, err := w.situation("foreign-device")
		if err != nil {
			return err
		}
		w.add(&client{id: s.ClientID})
		w.subject = &subject{situation: "foreign-device", unknown: "an unknown device", madeUp: madeUpClient}
		return nil
	}
	mine, token := w.account, w.sessionToken
	w.sessionToken = ""
	if err := w.useAccount(ctx, "active", 0); err != nil {
		return err
	}
	if err := w.makeClient(ctx); err != nil {
		return err
	}
	w.account, w.sessionToken = mine, token
	return nil
}

func (w *world) expiredRefreshToken(ctx context.Context) error {
	w.uses("expired-refresh")
	if w.run.control == nil {
		if err := w.useShared("expired-refresh"); err != nil {
			return err
		}
		w.run.keep(w.account.refresh)
		if w.client == nil {
			w.add(&client{})
		}
		w.client.pair = &pair{RefreshToken: w.account.refresh}
		w.subject = &subject{situation: "expired-refresh", unknown: "a token that nobody issued", madeUp: func(w *world, r *request) bool {
			w.authorize(r, w.lookalike(w.account.refresh))
			return true
		}}
		return nil
	}
	if err := w.useAccount(ctx, "active", 0); err != nil {
		return err
	}
	if err := w.makeClient(ctx); err != nil {
		return err
	}
	return w.moveClock(ctx, time.Duration(w.client.pair.RefreshExpiresIn)*time.Second+w.clearOfExpiry())
}
