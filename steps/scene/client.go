package scene

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	messages "github.com/cucumber/messages/go/v34"

	"agstest/ags"
	"agstest/internal/actions"
	"agstest/internal/check"
	"agstest/internal/environment"
	"agstest/steps/talk"
)

// defaultDevice is the deviceInformation of an Android phone, after the platform table of the page on first-time
// sign-on.
const defaultDevice = `{"securePlayer":{"codecs":["H264"],"streamings":["HLS"],"DRMs":["SSP"]},"device":{"screen":{"height":2560,"width":1440,"density":560},` +
	`"hardware":{"model":"Pixel 8","manufacturer":"Google","type":"Mobile"},"OS":{"type":"Android","version":"14"},` +
	`"CPU":{"neon":"true","frequency":"2.9","cores":"9"},"GPU":{"frequency":null,"cores":null}},"playoutDeviceClass":"mobileDevice","deviceType":"OPEN"}`

// Device returns the usual deviceInformation of first-time sign-ons: that of the environment file, in which {n} differs
// from run to run.
func (w *World) Device() string {
	template := string(w.Stage.Environment.DeviceInformation)
	if template == "" {
		return defaultDevice
	}
	return strings.ReplaceAll(template, "{n}", strconv.FormatUint(w.Stage.Options.Seed, 36))
}

// shortForm is a count of letters and digits below which an id that is made up in the form of another may well be
// somebody's.
const shortForm = 12

// UnknownClientID returns a clientId that nobody has: that of the environment file, or one in the form of a known one,
// since a service may refuse any other form as malformed.
func (w *World) UnknownClientID() string {
	if own := w.Stage.Environment.UnknownClientID; own != "" {
		return own
	}
	known := []string{w.Stage.Environment.Situations["active"].ClientID}
	if w.Client != nil {
		known = append(known, w.Client.ID)
	}
	for _, known := range known {
		variable := 0
		for _, c := range known {
			if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
				variable++
			}
		}
		if variable >= shortForm {
			return w.Lookalike(known)
		}
	}
	return "agstest_" + w.Invented(16)
}

func ClassOf(device json.RawMessage) string {
	var d struct {
		Class any `json:"playoutDeviceClass"`
	}
	json.Unmarshal(device, &d)
	s, _ := d.Class.(string)
	return s
}

// Adopt takes over the tokens of a good answer: the client holds them from now on.
func (w *World) Adopt(x *talk.Exchange, c *talk.Client) error {
	pair, err := ReadPair(x)
	if err != nil {
		return talk.Missf("a body with an access token and a refresh token", "%v", err)
	}
	c.Previous, c.Pair, c.Since = c.Pair, pair, x.Received.Add(w.Ahead)
	w.Stage.mu.Lock()
	w.Stage.issuedRefresh = pair.RefreshToken
	w.Stage.mu.Unlock()
	if c.ID == "" {
		c.ID = pair.ClientID
		if known := w.Stage.Environment.SituationWithDevice(c.ID); c.Own && w.Live() && known != "" {
			c.Own, c.Known = known == "spare-device", known
		}
	}
	if pair.ClientID == "" {
		pair.ClientID = c.ID
	}
	return nil
}

// Add makes a client the acting one.
func (w *World) Add(c *talk.Client) *talk.Client {
	w.Clients = append(w.Clients, c)
	w.Client = c
	return c
}

// MakeClient makes the scenario act for a device of its account: signed on for the first time on a mock, elsewhere that
// of the situation.
func (w *World) MakeClient(ctx context.Context) error {
	if w.Account == nil {
		return talk.Unknownf("no account was chosen before; write for example \"Given an account in good standing\"")
	}
	if w.Stage.Control == nil {
		if w.Client != nil {
			return nil
		}
		if w.Stage.Environment.Allow.FirstTime && w.Account.Situation == "active" {
			return w.FirstSignOn(ctx, w.Device())
		}
		return talk.Lacking("situations."+w.Account.Situation+": {clientId: …}", "the situation %s names no clientId",
			w.Account.Situation)
	}
	return w.FirstSignOn(ctx, w.Device())
}

// FirstSignOn signs a new device on with a session token, as a part of the set-up.
func (w *World) FirstSignOn(ctx context.Context, device string) error {
	if w.SharesDevices() {
		if err := w.firstTimeShared(ctx, ags.SignOnWithSessionToken, device); err != nil {
			return err
		}
		if x, _ := w.Last(); EffectiveStatus(x)/100 != 2 || w.Client == nil {
			return talk.Unknownf("the first-time sign-on that this scenario starts from was answered with %s",
				w.Describe(x))
		}
		return w.renew(ctx)
	}
	r, err := w.FirstTimeRequest(ctx, ags.SignOnWithSessionToken, device)
	if err != nil {
		return err
	}
	return w.setUpSignOn(ctx, r, &talk.Client{Class: ClassOf([]byte(device)), Own: true})
}

// EnsureTokens signs the client on if it holds no tokens yet.
func (w *World) EnsureTokens(ctx context.Context) error {
	if w.Client.Pair != nil {
		return w.renew(ctx)
	}
	r, err := w.SignOnWithSessionToken(ctx)
	if err != nil {
		return err
	}
	r.Set("clientId", talk.JSON(w.Client.ID))
	return w.setUpSignOn(ctx, r, w.Client)
}

func (w *World) setUpSignOn(ctx context.Context, r *talk.Request, c *talk.Client) error {
	x, err := w.Send(ctx, r, false)
	if err != nil {
		return err
	}
	if err := w.Cautious(x, false); err != nil {
		return err
	}
	if err := w.RoomForDevices(ctx, x); err != nil {
		return err
	}
	if w.Live() && EffectiveStatus(x)/100 == 4 && w.Stage.Own.WasSignedOut(c.ID) {
		return talk.Lacking(fmt.Sprintf("devices: {budget: %d} with allow: {first-time: true}", ManyDevices),
			"this service removes a device that signs out (%s), and the scenario needs one more", w.Describe(x))
	}
	if EffectiveStatus(x)/100 != 2 { // another 2xx than the documented one is the judge's to find
		w.RefusedGood(x)
		return talk.Unknownf("the sign-on that this scenario starts from was answered with %s", w.Describe(x))
	}
	if err := w.Adopt(x, c); err != nil {
		return talk.Unknownf("the sign-on that this scenario starts from gave no tokens: %v", err)
	}
	if w.Client != c {
		w.Add(c)
	}
	return nil
}

func (w *World) MayCreateDevices() error {
	if w.Stage.Options.Calm != "" {
		return talk.Lacking(w.Stage.Options.Calm,
			"the environment is protected, and a first-time sign-on creates a device")
	}
	if w.Stage.Control == nil && !w.Stage.Environment.Allow.FirstTime {
		return talk.Lacking("allow: {first-time: true}",
			"a first-time sign-on creates a device, which the environment does not allow")
	}
	return nil
}

// HasClient makes sure that there is a device to sign on as.
func (w *World) HasClient() error {
	switch {
	case w.Client != nil:
		return nil
	case w.Account != nil && w.Account.Situation != "":
		return talk.Lacking("situations."+w.Account.Situation+": {clientId: …}", "the situation %s names no clientId",
			w.Account.Situation)
	}
	return talk.Unknownf("no device was chosen before; write for example \"Given a device of the account\"")
}

// Ready makes sure that the acting client holds tokens which no other scenario has used.
func (w *World) Ready(ctx context.Context) error {
	if err := w.HoldsTokens(); err != nil {
		return err
	}
	return w.renew(ctx)
}

func (w *World) HoldsTokens() error {
	if w.Client == nil || w.Client.Pair == nil {
		return talk.Unknownf("the client holds no tokens; write for example \"Given a client that is signed on\"")
	}
	return nil
}

// RoomForDevices tells a refusal for too many devices, which says nothing about the service where an account of the
// environment file is full, from others.
func (w *World) RoomForDevices(ctx context.Context, x *talk.Exchange) error {
	if why := w.strangeDevice(x); why != "" {
		return talk.Unknownf("%s", why)
	}
	picked := x.Request.Operation == ags.SubsequentSignOn && x.Request.Get("deviceInformation") != nil
	if !w.Live() || w.Refusal || w.limited || !x.Known.FirstTime && !picked {
		return nil
	}
	if !isFull(x) {
		return w.mayBeFull(ctx, x)
	}
	code, _ := check.SubCode(x.Exchange)
	return talk.Lacking(w.needsRoom(),
		"could not tell: the account has no room: that of situations.%s has as many devices as it may (%d), so first-time "+
			"sign-ons cannot be checked", w.Account.Situation, code)
}

func (w *World) needsRoom() string {
	return "an account with room for more devices in situations." + w.Account.Situation
}

const StrangeDevice = "the service refuses the device that agstest describes"

// strangeDevice tells that a 400 may be about the device description, if the environment file gives none: a platform
// may know only classes of its own, and the 400 says nothing about devices of such a class. If a new device was
// accepted in this run, a 400 has another reason.
func (w *World) strangeDevice(x *talk.Exchange) string {
	if !w.Live() || len(w.Stage.Environment.DeviceInformation) > 0 || EffectiveStatus(x) != http.StatusBadRequest ||
		x.Tampered != "" || !describesOurs(x) {
		return ""
	}
	w.Stage.mu.Lock()
	known := w.Stage.deviceKnown
	w.Stage.mu.Unlock()
	if known {
		return ""
	}
	return fmt.Sprintf(
		"%s (%s): give deviceInformation in the environment file, with a playoutDeviceClass that the platform knows",
		StrangeDevice, w.Describe(x))
}

// describesOurs tells whether a request describes a new device as agstest does.
func describesOurs(x *talk.Exchange) bool {
	return x.Request.Get("clientId") == nil && string(x.Request.Get("deviceInformation")) == defaultDevice
}

func (w *World) MakeTroubledClient(ctx context.Context, state string) error {
	w.Refusal = state != "unapproved"
	w.namedRefused = w.Refusal
	w.Uses(state + "-device")
	if w.limited {
		w.Refusal, w.namedRefused = false, false // the device that is signed on next is another one
		if err := w.MakeClient(ctx); err != nil {
			return err
		}
		if err := w.fullLive(ctx); err != nil {
			return err
		}
		return w.SetDeviceState(ctx, state)
	}
	stage := w.canStage(state+"-device", map[string]actions.Kind{"disabled": actions.Disable,
		"deleted": actions.Delete}[state])
	if w.Stage.Control == nil && !stage {
		s, err := w.Situation(state + "-device")
		if err != nil {
			return err
		}
		if s.ClientID == "" {
			return talk.Lacking(w.Stage.Example(state+"-device"), "situations.%s-device names no clientId", state)
		}
		if a := w.Account; a != nil && a.Situation == "credentials" &&
			(s.AccountID == "" || s.AccountID != w.Stage.Environment.Situations["credentials"].AccountID) {
			return talk.Lacking("the same accountId in situations.credentials and situations."+state+"-device",
				"nothing says that the device of situations.%s-device is of the user of situations.credentials", state)
		}
		w.Add(&talk.Client{ID: s.ClientID})
		w.Subject = &Subject{Situation: state + "-device", Unknown: "an unknown device",
			Codes: map[string][]int{"disabled": {20004}, "deleted": {20003}}[state], MadeUp: madeUpClient}
		return nil
	}
	if err := w.MakeClient(ctx); err != nil {
		return err
	}
	return w.SetDeviceState(ctx, state)
}

func (w *World) SetDeviceState(ctx context.Context, state string) error {
	if w.Stage.Control == nil {
		return w.setDeviceLive(ctx, state)
	}
	change := map[string]any{
		"disabled": map[string]any{"status": "DISABLED"}, "enabled": map[string]any{"status": "ENABLED"},
		"deleted":  map[string]any{"deleted": true},
		"inactive": map[string]any{"activity": "INACTIVE"}, "unapproved": map[string]any{"approved": false},
	}[state].(map[string]any)
	return w.Stage.Control.SetDevice(ctx, w.Tenant, w.Client.ID, change)
}

func (w *World) UseForeignDevice(ctx context.Context) error {
	w.Refusal = true
	w.Uses("foreign-device")
	if w.Stage.Control == nil {
		s, err := w.Situation("foreign-device")
		if err != nil {
			return err
		}
		if err := w.ownsNone(s); err != nil {
			return err
		}
		w.Add(&talk.Client{ID: s.ClientID})
		w.Foreign, w.Owner = s.ClientID, s.AccountID
		w.Subject = &Subject{Situation: "foreign-device", Unknown: "an unknown device", MadeUp: madeUpClient}
		return nil
	}
	mine, token := w.Account, w.SessionToken
	w.SessionToken = ""
	if err := w.UseAccount(ctx, "active", 0); err != nil {
		return err
	}
	if err := w.MakeClient(ctx); err != nil {
		return err
	}
	w.Foreign, w.Owner, w.Account, w.SessionToken = w.Client.ID, w.Account.ID, mine, token
	return nil
}

// KnowSomebodyElse learns of a device of another account and of its owner; the acting client stays.
func (w *World) KnowSomebodyElse(ctx context.Context) error {
	clients, acting := w.Clients, w.Client
	if err := w.UseForeignDevice(ctx); err != nil {
		return err
	}
	// the request is that of the client, and may be accepted
	w.Clients, w.Client, w.Subject, w.Refusal = clients, acting, nil, false
	if w.Owner == "" || w.Account != nil && w.Owner == w.Account.ID {
		return talk.Lacking("situations.foreign-device: {accountId: …}",
			"the environment does not say which other account the device of situations.foreign-device is of")
	}
	if w.Live() && !w.ownerIsReal(ctx) {
		return cmp.Or(ctx.Err(),
			talk.Lacking("a device in situations.foreign-device that signs on to the accountId beside it",
				"the device of situations.foreign-device is not seen to sign on to its account, so that naming the two would "+
					"show nothing"))
	}
	return nil
}

// ownerIsReal looks once in a run whether the device of another account signs on to that account.
func (w *World) ownerIsReal(ctx context.Context) bool {
	const key = "the owner of situations.foreign-device"
	w.Stage.mu.Lock()
	why, known := w.Stage.apart[key]
	w.Stage.mu.Unlock()
	if known {
		return why == ""
	}
	if !w.ownerSignsOn(ctx) {
		why = "is not seen"
	}
	w.Stage.mu.Lock()
	defer w.Stage.mu.Unlock()
	w.Stage.apart[key] = why
	return why == ""
}

// ownsNone makes sure that the device of another account than that of situations.active is not the device of the user
// who signs on with credentials.
func (w *World) ownsNone(foreign environment.Situation) error {
	if w.Account == nil || w.Account.Situation != "credentials" {
		return nil
	}
	own := w.Stage.Environment.Situations["credentials"]
	switch {
	case !w.Stage.ownUser("credentials", own), own.AccountID != "" && foreign.AccountID != "" &&
		own.AccountID != foreign.AccountID:
		return nil
	case own.AccountID != "" && own.AccountID == foreign.AccountID:
		return talk.Lacking("another device in situations.foreign-device",
			"the device of situations.foreign-device is of the user of situations.credentials")
	}
	return talk.Lacking("accountId in situations.credentials and situations.foreign-device",
		"nothing says that the device of situations.foreign-device is not of the user of situations.credentials")
}

// ownerSignsOn tells that the device of another account is real: it signs on to the account that the file names beside
// it.
func (w *World) ownerSignsOn(ctx context.Context) bool {
	s := w.Stage.Environment.Situations["foreign-device"]
	if s.ClientID == "" || s.AccountID == "" && !s.HasSessionToken() {
		return false
	}
	own := New(w.Stage, w.Scenario)
	own.Control = true
	if err := own.UseShared("foreign-device"); err != nil {
		return false
	}
	r, err := own.SignOnWithSessionToken(ctx)
	if err != nil {
		return false
	}
	r.Set("clientId", talk.JSON(s.ClientID))
	x, err := own.Send(ctx, r, true)
	return err == nil && EffectiveStatus(x)/100 == 2
}

// holdOld gives the client an old refresh token. Its refusal must differ from that of a token that nobody issued.
func (w *World) holdOld(refresh string, subject *Subject) {
	w.Stage.Keep(refresh)
	w.Client.Pair, w.Client.Stale = &talk.Pair{RefreshToken: refresh}, false
	subject.Unknown, subject.MadeUp = "a token that nobody issued", func(w *World, r *talk.Request) bool {
		if r.Operation != ags.Refresh {
			return false
		}
		w.Authorize(r, w.Lookalike(refresh))
		return true
	}
	w.Subject = subject
}

// HoldExpired gives the client an expired refresh token of its own, which saves waiting for one to expire; false if
// there is none.
func (w *World) HoldExpired() bool {
	old, given := w.Stage.Environment.Situations["expired-refresh"]
	if w.Stage.Control != nil || !given || old.RefreshToken == "" || w.Client == nil || old.ClientID == "" ||
		old.ClientID != w.Client.ID {
		return false
	}
	w.Uses("expired-refresh")
	w.holdOld(old.RefreshToken, &Subject{Situation: "expired-refresh"})
	return true
}

// holdOfTroubled makes the scenario act for an account that somebody has shut out, whose device holds a refresh token
// from before; false if the file gives none.
func (w *World) holdOfTroubled(standing string) (bool, error) {
	name := strings.ToLower(standing) + "-account"
	old, given := w.Stage.Environment.Situations[name]
	if !given || old.RefreshToken == "" || old.ClientID == "" || len(w.Clients) > 1 || !w.endsWithRefresh() {
		return false, nil
	}
	if p := check.ReadClaims(old.RefreshToken); p.Exp > 0 &&
		time.Now().After(time.Unix(p.Exp, 0).Add(-w.Stage.Environment.ClockSkew)) {
		return false, talk.Lacking("situations."+name+": {refreshToken: …}",
			"the refreshToken of situations.%s has expired, so that its refusal tells nothing of the account", name)
	}
	w.Uses(name)
	if err := w.UseShared(name); err != nil {
		return false, err
	}
	w.Account.Standing = standing
	w.holdOld(old.RefreshToken, &Subject{Situation: name, Codes: codesOfStanding[standing], mayHaveEnded: true})
	return true, nil
}

// endsWithRefresh tells whether a refresh is the last call of the scenario: an old refresh token tells of no other, nor
// when the access token beside it ends.
func (w *World) endsWithRefresh() bool {
	last := ""
	for _, step := range w.Scenario.Pickle.Steps {
		if step.Type == messages.PickleStepType_ACTION {
			last = step.Text
		}
		if strings.Contains(step.Text, " expires") {
			return false
		}
	}
	return strings.HasSuffix(last, "refreshes its tokens")
}

// codesOfStanding are the documented sub-codes that name the state of an account.
var codesOfStanding = map[string][]int{"SUSPENDED": {20002}, "CANCELLED": {20001}}

func (w *World) ExpiredRefreshToken(ctx context.Context) error {
	w.Uses("expired-refresh")
	if w.Stage.Control == nil {
		if err := w.UseShared("expired-refresh"); err != nil {
			return err
		}
		if w.Client == nil {
			w.Add(&talk.Client{})
		}
		w.holdOld(w.Account.Refresh, &Subject{Situation: "expired-refresh"})
		return nil
	}
	if err := w.UseAccount(ctx, "active", 0); err != nil {
		return err
	}
	if err := w.MakeClient(ctx); err != nil {
		return err
	}
	return w.MoveClock(ctx, time.Duration(w.Client.Pair.RefreshExpiresIn)*time.Second+w.ClearOfExpiry())
}
