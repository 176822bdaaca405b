package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"agstest/ags"
	"agstest/internal/actions"
)

// What scenarios change on a live service they change through the actions of the environment file, and each scenario puts back what it
// changed before another begins. On a mock the control interface does the same for accounts that nobody else has.

// kindOfStanding is what brings an account into a state.
var kindOfStanding = map[string]actions.Kind{"SUSPENDED": actions.Suspend, "RESTRICTED": actions.Restrict, "CANCELLED": actions.Cancel, "ACTIVE": actions.Reactivate}

// byAction says what a file lacks for a change.
func byAction(kind actions.Kind, what string) error {
	return lacking(fmt.Sprintf("actions: {%s: …} with allow: {actions: true}", kind), "%s only through the control interface of a mock, or by an action of the environment file (%s)", what, kind)
}

// can tells whether an action of the environment file can do something.
func (w *world) can(kind actions.Kind) bool {
	return w.live() && w.run.options.Actions.Can(kind)
}

// act carries out an action. What it changes is put back when the scenario ends.
func (w *world) act(ctx context.Context, o actions.Order) ([]string, error) {
	o.Tenant = w.tenant
	w.acted = true
	keeper := w.run.options.Actions
	if why := keeper.Refusal(o); why != "" {
		return nil, lacking("situations."+w.situationName()+": {accountId: …}", "cannot %s: %s", o.Kind, why)
	}
	w.controlFirst(ctx, o.Kind)
	answer, err := keeper.Do(ctx, o)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, unknownf("could not %s: %s", o, w.run.secrets.Text(err.Error()))
	}
	return answer, nil
}

// controlFirst sees that good requests of the calls that the scenario will have refused were accepted before: once an account or a device is shut
// out none is.
func (w *world) controlFirst(ctx context.Context, kind actions.Kind) {
	switch kind {
	case actions.Suspend, actions.Restrict, actions.Cancel, actions.Disable, actions.Delete:
	default:
		return
	}
	for _, step := range w.scenario.pickle.Steps {
		switch {
		case strings.Contains(step.Text, "refreshes its tokens"):
			w.controlled(ctx, ags.Refresh)
		case strings.Contains(step.Text, "signs on with a session token and its clientId"):
			w.controlled(ctx, ags.SignOnWithSessionToken)
		}
	}
}

func (w *world) situationName() string {
	if w.account != nil && w.account.situation != "" {
		return w.account.situation
	}
	return "active"
}

// about is an order about the account of the scenario.
func (w *world) about(kind actions.Kind) actions.Order {
	o := actions.Order{Kind: kind}
	if w.account != nil {
		o.AccountID = w.account.id
	}
	return o
}

// setStandingLive changes the state of an account of the environment file.
func (w *world) setStandingLive(ctx context.Context, standing string) error {
	kind := kindOfStanding[standing]
	if !w.can(kind) {
		return byAction(kind, "the state of an account can be changed")
	}
	if _, err := w.act(ctx, w.about(kind)); err != nil {
		return err
	}
	w.account.standing = standing
	return nil
}

// setDeviceLive changes the state of the device that acts. Only a device that the run has made is deleted.
func (w *world) setDeviceLive(ctx context.Context, state string) error {
	kind, known := map[string]actions.Kind{"disabled": actions.Disable, "enabled": actions.Enable, "deleted": actions.Delete}[state]
	if !known {
		return lacking("", "a device can be made %s only through the control interface of a mock", state)
	}
	if !w.can(kind) {
		return byAction(kind, "the state of a device can be changed")
	}
	if state == "deleted" && (w.client == nil || !w.client.own || w.account.situation != "active") {
		if w.account.situation != "active" {
			return lacking("", "only devices of the account of situations.active are deleted, which the run has made itself")
		}
		if err := w.useOwnDevice(ctx); err != nil {
			return err
		}
	}
	if w.client == nil {
		return w.hasClient()
	}
	o := w.about(kind)
	o.ClientID = w.client.id
	if _, err := w.act(ctx, o); err != nil {
		return err
	}
	if state == "deleted" {
		w.run.own.remove(o.ClientID)
	}
	return nil
}

// canStage tells whether a troubled account or device can be brought about by actions where the file has none.
func (w *world) canStage(situation string, kind actions.Kind) bool {
	_, offered := w.run.environment.Situations[situation]
	return !offered && w.can(kind)
}

// limitLive makes an account of the environment file full but for so many devices. What counts is what the account lists, without the devices
// that the file calls disabled, inactive or deleted: they take no room (the page "Device limits").
func (w *world) limitLive(ctx context.Context, room int) error {
	if !w.can(actions.Limit) {
		return byAction(actions.Limit, "the device limit of an account can be set")
	}
	if !w.can(actions.List) {
		return byAction(actions.List, "how many devices an account has can be told")
	}
	if err := w.useShared("active"); err != nil {
		return err
	}
	ids, err := w.act(ctx, w.about(actions.List))
	if err != nil {
		return err
	}
	for _, name := range []string{"disabled-device", "inactive-device", "deleted-device"} {
		id := w.run.environment.Situations[name].ClientID
		ids = slices.DeleteFunc(ids, func(listed string) bool { return id != "" && listed == id })
	}
	ids = slices.DeleteFunc(ids, w.run.own.wasDeleted)
	o := w.about(actions.Limit)
	if o.Limit = len(ids) + room - 1; o.Limit < 1 {
		return unknownf("the account of situations.active lists no device that takes room")
	}
	if _, err := w.act(ctx, o); err != nil {
		return err
	}
	w.limited = true
	return nil
}

// fullLive shows that a limited account is full, without which a sign-on that is let in shows nothing.
func (w *world) fullLive(ctx context.Context) error {
	own := newWorld(w.run, w.scenario)
	own.control, own.account, own.tenant, own.service, own.acted, own.refusal = true, w.account, w.tenant, w.service, true, true
	r, err := own.firstTimeRequest(ctx, ags.SignOnWithSessionToken, own.device())
	if err != nil {
		return err
	}
	x, err := own.send(ctx, r, false)
	if err != nil {
		return err
	}
	if !isFull(x) {
		return unknownf("the limit of the account was set to what it has, and a first-time sign-on was answered with %s: whether a device leaves room cannot be told", w.describe(x))
	}
	return nil
}

// switchLive switches what shuts the caller of the scenario out.
func (w *world) switchLive(ctx context.Context, state string) error {
	kinds := []actions.Kind{actions.VPN, actions.Geo}
	if w.subject != nil {
		kinds = map[string][]actions.Kind{"vpn": {actions.VPN}, "geo-blocked": {actions.Geo}}[w.subject.situation]
	}
	if len(kinds) == 0 {
		return lacking("", "nothing in the scenario shuts the caller out")
	}
	for _, kind := range kinds {
		if !w.can(kind) {
			return byAction(kind, "the platform switches can be changed")
		}
	}
	for _, kind := range kinds {
		if _, err := w.act(ctx, actions.Order{Kind: kind, State: state}); err != nil {
			return err
		}
	}
	return nil
}

// countDevicesLive counts the devices that the account of the scenario lists.
func (w *world) countDevicesLive(ctx context.Context) (int, error) {
	if !w.can(actions.List) {
		return 0, byAction(actions.List, "the devices of an account can be counted")
	}
	ids, err := w.act(ctx, w.about(actions.List))
	return len(ids), err
}

// changesState are the phrases by which a scenario changes what others see, or sees what others change.
var changesState = []string{"the operator ", "an account that may have ", "the devices of the account are counted"}

// acts tells of a scenario that may change the state of what others use: it is alone on the stage.
func (r *run) acts(s *scenario) bool {
	if r.control != nil || r.options.Actions == nil {
		return false
	}
	for _, step := range s.pickle.Steps {
		if slices.ContainsFunc(changesState, func(start string) bool { return strings.HasPrefix(step.Text, start) }) {
			return true
		}
		for situation, kind := range stagedBy {
			if strings.HasSuffix(strings.TrimSuffix(step.Text, " of the account"), situation) && r.options.Actions.Can(kind) {
				return true
			}
		}
	}
	return false
}

// stagedBy are situations, in the words of steps, that actions bring about.
var stagedBy = map[string]actions.Kind{
	"a suspended account": actions.Suspend, "a restricted account": actions.Restrict, "a cancelled account": actions.Cancel,
	"a disabled device": actions.Disable, "a deleted device": actions.Delete,
}

// putBack puts back what a scenario has changed, before another begins.
func (r *run) putBack(ctx context.Context, w *world) {
	if r.control == nil && len(w.alone) > 0 && r.options.Actions.Can(actions.Delete) && ctx.Err() == nil {
		r.deleteOwn(ctx, w.alone)
	}
	if !w.acted {
		return
	}
	if err := r.options.Actions.PutBack(ctx); err != nil {
		r.mu.Lock()
		r.broken = r.secrets.Text(err.Error())
		r.mu.Unlock()
	}
}

// leftChanged says what an earlier scenario has changed that could not be put back; empty: nothing.
func (r *run) leftChanged() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.broken
}

// clearOwn deletes the devices that the run has made, where an action can, and notes those that stay.
func (r *run) clearOwn(ctx context.Context) {
	if r.control != nil {
		return
	}
	r.deleteOwn(context.WithoutCancel(ctx), r.own.list())
	var stay []string
	for _, d := range r.own.list() {
		stay = append(stay, fmt.Sprintf(`{"clientId": %q}`, d.client)) // as an id, which reports mask
	}
	if deleted := int(r.deleted.Load()); deleted > 0 {
		r.notes = append(r.notes, "devices that this run made and deleted again: "+fmt.Sprint(deleted))
	}
	if len(stay) > 0 {
		r.notes = append(r.notes, fmt.Sprintf("devices that this run made and that stay behind: %d (%s)", len(stay), strings.Join(stay, ", ")))
	}
}

// deleteOwn deletes devices that the run has made, where an action can and the file names their accounts. After a call that fails no further is
// tried: a run that ends does not wait for each.
func (r *run) deleteOwn(ctx context.Context, devices []madeDevice) {
	for _, d := range devices {
		o := actions.Order{Kind: actions.Delete, Tenant: d.tenant, AccountID: d.account, ClientID: d.client}
		if !r.options.Actions.Can(actions.Delete) || r.options.Actions.Refusal(o) != "" {
			continue
		}
		if _, err := r.options.Actions.Do(ctx, o); err != nil {
			return
		}
		r.own.remove(d.client)
		r.deleted.Add(1)
	}
}

// madeDevice is a device that a run has made.
type madeDevice struct{ tenant, account, client string }

// remember keeps a device that an answer made.
func (o *ownDevices) remember(w *world, x *exchange, shared bool) {
	pair, err := readPair(x)
	if err != nil || pair.ClientID == "" {
		return
	}
	account := pair.AccountID
	if account == "" && w.account != nil {
		account = w.account.id
	}
	d := madeDevice{w.tenant, account, pair.ClientID}
	if !slices.Contains(o.all, d) {
		o.all = append(o.all, d)
		if !shared && !w.sharing {
			w.alone = append(w.alone, d)
		}
	}
}

// remove forgets a device that was deleted.
func (o *ownDevices) remove(client string) {
	o.lose(client)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.deleted = append(o.deleted, client)
	o.all = slices.DeleteFunc(o.all, func(d madeDevice) bool { return d.client == client })
}

// wasDeleted tells of a device that the run made and deleted: some platforms go on listing it.
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
