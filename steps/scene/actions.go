package scene

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"agstest/ags"
	"agstest/internal/actions"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// Scenarios change a live service through the actions of the environment file, and each scenario puts back its changes
// before another begins. On a mock the control interface does the same for accounts that nobody else has.

// kindOfStanding is the action that brings an account into a state.
var kindOfStanding = map[string]actions.Kind{"SUSPENDED": actions.Suspend, "RESTRICTED": actions.Restrict,
	"CANCELLED": actions.Cancel, "ACTIVE": actions.Reactivate}

// byAction says what a file lacks for a change, or that the actions in it may not be used.
func (w *World) byAction(kind actions.Kind, what string) error {
	if o := w.Stage.Options; o.ActionsWant != "" && actions.Offered(o.Environment, kind) {
		return talk.Lacking(o.ActionsWant,
			"%s by the action %s of the environment file, which was not used: the environment is protected", what, kind)
	}
	return talk.Lacking(fmt.Sprintf("actions: {%s: …} with allow: {actions: true}", kind),
		"%s only through the control interface of a mock, or by an action of the environment file (%s)", what, kind)
}

// can tells whether an action of the environment file can do something.
func (w *World) can(kind actions.Kind) bool {
	return w.Live() && w.Stage.Options.Actions.Can(kind)
}

// act carries out an action. Its change is put back when the scenario ends.
func (w *World) act(ctx context.Context, o actions.Order) ([]string, error) {
	o.Tenant = w.Tenant
	w.acted = true
	keeper := w.Stage.Options.Actions
	if why := keeper.Refusal(o); why != "" {
		offer := "situations." + w.situationName() + ": {accountId: …}"
		if o.AccountID != "" {
			offer = ""
		}
		return nil, talk.Lacking(offer, "cannot %s: %s", o.Kind, why)
	}
	w.controlFirst(ctx, o.Kind)
	answer, err := keeper.Do(ctx, o)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, talk.Unknownf("could not %s: %s", o, w.Stage.Secrets.Text(err.Error()))
	}
	return answer, nil
}

// controlFirst makes sure that good requests of the calls that the scenario will have refused were accepted before: a
// shut-out account or device gets none accepted.
func (w *World) controlFirst(ctx context.Context, kind actions.Kind) {
	switch kind {
	case actions.Suspend, actions.Restrict, actions.Cancel, actions.Disable, actions.Delete:
	default:
		return
	}
	for _, step := range w.Scenario.Pickle.Steps {
		switch {
		case strings.Contains(step.Text, "refreshes its tokens"):
			w.Controlled(ctx, ags.Refresh)
		case strings.Contains(step.Text, "signs on with a session token and its clientId"):
			w.Controlled(ctx, ags.SignOnWithSessionToken)
		}
	}
}

func (w *World) situationName() string {
	if w.Account != nil && w.Account.Situation != "" {
		return w.Account.Situation
	}
	return "active"
}

// about is an order about the account of the scenario.
func (w *World) about(kind actions.Kind) actions.Order {
	o := actions.Order{Kind: kind}
	if w.Account != nil {
		o.AccountID = w.Account.ID
	}
	return o
}

// setStandingLive changes the state of an account of the environment file.
func (w *World) setStandingLive(ctx context.Context, standing string) error {
	kind := kindOfStanding[standing]
	if !w.can(kind) {
		if held, err := w.holdOfTroubled(standing); held || err != nil {
			return err
		}
		return w.byAction(kind, "the state of an account can be changed")
	}
	if _, err := w.act(ctx, w.about(kind)); err != nil {
		return err
	}
	w.Account.Standing = standing
	return nil
}

// setDeviceLive changes the state of the device that acts. Only a device that the run has made is deleted.
func (w *World) setDeviceLive(ctx context.Context, state string) error {
	kind, known := map[string]actions.Kind{"disabled": actions.Disable, "enabled": actions.Enable,
		"deleted": actions.Delete}[state]
	if !known {
		return talk.Lacking("", "a device can be made %s only through the control interface of a mock", state)
	}
	if !w.can(kind) {
		return w.byAction(kind, "the state of a device can be changed")
	}
	if state == "deleted" && (w.Client == nil || !w.Client.Own || w.Account.Situation != "active") {
		if w.Account.Situation != "active" {
			return talk.Lacking("",
				"only devices of the account of situations.active are deleted, which the run has made itself")
		}
		if err := w.UseOwnDevice(ctx); err != nil {
			return err
		}
	}
	if w.Client == nil {
		return w.HasClient()
	}
	if known := w.Stage.Environment.SituationWithDevice(w.Client.ID); state == "deleted" && known != "" {
		return talk.Lacking("allow: {first-time: true}",
			"only devices that the run has made are deleted, and this is the device of situations.%s", known)
	}
	o := w.about(kind)
	o.ClientID = w.Client.ID
	if _, err := w.act(ctx, o); err != nil {
		return err
	}
	if state == "deleted" {
		w.Stage.Own.remove(o.ClientID)
	}
	return nil
}

// canStage tells whether actions can make a troubled account or device if the file has none.
func (w *World) canStage(situation string, kind actions.Kind) bool {
	_, offered := w.Stage.Environment.Situations[situation]
	return !offered && w.can(kind)
}

// LimitLive fills an account of the environment file until it has room for the given number of devices. The devices
// that the account lists count, without those that the file calls disabled, inactive or deleted: they take no room (the
// page "Device limits").
func (w *World) LimitLive(ctx context.Context, room int) error {
	if !w.can(actions.Limit) {
		return w.byAction(actions.Limit, "the device limit of an account can be set")
	}
	if !w.can(actions.List) {
		return w.byAction(actions.List, "how many devices an account has can be told")
	}
	if err := w.UseShared("active"); err != nil {
		return err
	}
	ids, err := w.act(ctx, w.about(actions.List))
	if err != nil {
		return err
	}
	for _, name := range []string{"disabled-device", "inactive-device", "deleted-device"} {
		id := w.Stage.Environment.Situations[name].ClientID
		ids = slices.DeleteFunc(ids, func(listed string) bool { return id != "" && listed == id })
	}
	ids = slices.DeleteFunc(ids, w.Stage.Own.wasDeleted)
	o := w.about(actions.Limit)
	if o.Limit = len(ids) + room - 1; o.Limit < 1 {
		return talk.Unknownf("the account of situations.active lists no device that takes room")
	}
	if _, err := w.act(ctx, o); err != nil {
		return err
	}
	w.limited = true
	return nil
}

// fullLive shows that a limited account is full, without which a sign-on that is let in shows nothing.
func (w *World) fullLive(ctx context.Context) error {
	own := New(w.Stage, w.Scenario)
	own.Control, own.Account, own.Tenant, own.Service, own.acted, own.Refusal = true, w.Account, w.Tenant, w.Service, true,
		true
	r, err := own.FirstTimeRequest(ctx, ags.SignOnWithSessionToken, own.Device())
	if err != nil {
		return err
	}
	x, err := own.Send(ctx, r, false)
	if err != nil {
		return err
	}
	if !isFull(x) && !w.fullWithoutCode(x) {
		return talk.Unknownf("the limit of the account was set to what it has, and a first-time sign-on was answered with "+
			"%s: whether a device leaves room cannot be told", w.Describe(x))
	}
	return nil
}

// SwitchLive switches what shuts the caller of the scenario out.
func (w *World) SwitchLive(ctx context.Context, state string) error {
	kinds := []actions.Kind{actions.VPN, actions.Geo}
	if w.Subject != nil {
		kinds = map[string][]actions.Kind{"vpn": {actions.VPN}, "geo-blocked": {actions.Geo}}[w.Subject.Situation]
	}
	if len(kinds) == 0 {
		return talk.Lacking("", "nothing in the scenario shuts the caller out")
	}
	for _, kind := range kinds {
		if !w.can(kind) {
			return w.byAction(kind, "the platform switches can be changed")
		}
	}
	for _, kind := range kinds {
		if _, err := w.act(ctx, actions.Order{Kind: kind, State: state}); err != nil {
			return err
		}
	}
	return nil
}

// CountDevicesLive counts the devices that the account of the scenario lists.
func (w *World) CountDevicesLive(ctx context.Context) (int, error) {
	if !w.can(actions.List) {
		return 0, w.byAction(actions.List, "the devices of an account can be counted")
	}
	ids, err := w.act(ctx, w.about(actions.List))
	return len(ids), err
}

// changesState are the phrases by which a scenario changes what others see, or sees what others change.
var changesState = []string{"the operator ", "an account that may have ", "the devices of the account are counted"}

// ChangesState tells whether a scenario says that it changes what others see, or that it sees what others change.
func ChangesState(s *script.Scenario) bool {
	for _, step := range s.Pickle.Steps {
		if slices.ContainsFunc(changesState, func(start string) bool { return strings.HasPrefix(step.Text, start) }) {
			return true
		}
	}
	return false
}

// Acts tells whether a scenario may change a state that others use: it is then alone on the stage.
func (r *Stage) Acts(s *script.Scenario) bool {
	if r.Control != nil || r.Options.Actions == nil {
		return false
	}
	if ChangesState(s) {
		return true
	}
	for _, step := range s.Pickle.Steps {
		for situation, kind := range stagedBy {
			if strings.HasSuffix(strings.TrimSuffix(step.Text, " of the account"), situation) &&
				r.Options.Actions.Can(kind) {
				return true
			}
		}
	}
	return false
}

// stagedBy are situations, in the words of steps, that actions bring about.
var stagedBy = map[string]actions.Kind{
	"a suspended account": actions.Suspend, "a restricted account": actions.Restrict,
	"a cancelled account": actions.Cancel,
	"a disabled device":   actions.Disable, "a deleted device": actions.Delete,
}

// PutBack puts back the changes of a scenario, before another begins.
func (r *Stage) PutBack(ctx context.Context, w *World) {
	if r.Control == nil && len(w.alone) > 0 && r.Options.Actions.Can(actions.Delete) && ctx.Err() == nil {
		r.deleteOwn(ctx, slices.DeleteFunc(w.alone, func(d madeDevice) bool { return !r.Own.giveUp(d.client) }))
	}
	if !w.acted {
		return
	}
	if err := r.Options.Actions.PutBack(ctx); err != nil {
		r.mu.Lock()
		r.broken = r.Secrets.Text(err.Error())
		r.mu.Unlock()
	}
}

// LeftChanged names changes of an earlier scenario that could not be put back; empty: none.
func (r *Stage) LeftChanged() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.broken
}

// ClearOwn deletes the devices that the run has made, where an action can, and notes those that stay.
func (r *Stage) ClearOwn(ctx context.Context) {
	if r.Control != nil {
		return
	}
	r.deleteOwn(context.WithoutCancel(ctx), r.Own.list())
	var stay []string
	for _, d := range r.Own.list() {
		stay = append(stay, fmt.Sprintf(`{"clientId": %q}`, d.client)) // as an id, which reports mask
	}
	if deleted := int(r.deleted.Load()); deleted > 0 {
		r.Notes = append(r.Notes, "devices that this run made and deleted again: "+fmt.Sprint(deleted))
	}
	if len(stay) > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("devices that this run made and that stay behind: %d (%s)", len(stay),
			strings.Join(stay, ", ")))
	}
}

// deleteOwn deletes devices that the run has made, where an action can and the file names their accounts. After a call
// that fails no further is tried: a run that ends does not wait for each.
func (r *Stage) deleteOwn(ctx context.Context, devices []madeDevice) {
	for _, d := range devices {
		o := actions.Order{Kind: actions.Delete, Tenant: d.tenant, AccountID: d.account, ClientID: d.client}
		if !r.Options.Actions.Can(actions.Delete) || r.Options.Actions.Refusal(o) != "" {
			continue
		}
		if _, err := r.Options.Actions.Do(ctx, o); err != nil {
			return
		}
		r.Own.remove(d.client)
		r.deleted.Add(1)
	}
}

// madeDevice is a device that a run has made.
type madeDevice struct{ tenant, account, client string }

// remember keeps a device that an answer made.
func (o *ownDevices) remember(w *World, x *talk.Exchange, shared bool) {
	pair, err := ReadPair(x)
	if err != nil || pair.ClientID == "" {
		return
	}
	account := pair.AccountID
	if account == "" && w.Account != nil {
		account = w.Account.ID
	}
	d := madeDevice{w.Tenant, account, pair.ClientID}
	if !slices.Contains(o.all, d) {
		o.all = append(o.all, d)
		if !shared && !w.Sharing {
			w.alone = append(w.alone, d)
		}
	}
}

// wasThere tells that the device of an answer existed before: the request or the environment file names it, and the run
// must not delete it or sign it out.
func (w *World) wasThere(x *talk.Exchange) bool {
	pair, err := ReadPair(x)
	if err != nil || pair.ClientID == "" {
		return false
	}
	var sent string
	_ = json.Unmarshal(x.Request.Get("clientId"), &sent)
	return pair.ClientID == sent || w.Stage.Environment.SituationWithDevice(pair.ClientID) != ""
}

// remove forgets a device that was deleted.
func (o *ownDevices) remove(client string) {
	o.lose(client)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.deleted = append(o.deleted, client)
	o.all = slices.DeleteFunc(o.all, func(d madeDevice) bool { return d.client == client })
}

// wasDeleted tells whether the run made and deleted a device: some platforms go on listing it.
func (o *ownDevices) wasDeleted(client string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Contains(o.deleted, client)
}

func (o *ownDevices) list() []madeDevice {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.all)
}
