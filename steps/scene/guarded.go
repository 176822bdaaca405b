package scene

import (
	"fmt"
	"slices"
	"strings"

	"agstest/ags"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// Guarded lists the secrets that no answer may give away: the keys of the operator and the passwords of the users that
// the environment file names or the scenario acts for. It leaves out a password that is part of something public, such
// as the user name. The passwords are those that are no keys of the operator; one that an answer may hold by chance is
// among them alone, as only its digest gives it away.
func (w *World) Guarded() (guarded, passwords []string) {
	w.Stage.guard.Do(w.Stage.guardFile)
	guarded = slices.Clone(w.Stage.guarded)
	open := slices.Concat(w.Stage.told, []string{w.Tenant, w.Service})
	if w.Account != nil {
		w.guard(&guarded, &open)
	}
	slices.Sort(guarded)
	guarded = slices.DeleteFunc(slices.Compact(guarded), func(secret string) bool {
		return secret == "" ||
			slices.ContainsFunc(open, func(text string) bool { return strings.Contains(text, secret) })
	})
	for _, secret := range guarded {
		if !slices.Contains(w.Stage.keys, secret) {
			passwords = append(passwords, secret)
		}
	}
	return slices.DeleteFunc(guarded, foundByChance), passwords
}

// credentialsOf are the user name and the password of a request as one text, in the ways in which services join them
// before they make a digest of both.
func (w *World) credentialsOf(r *talk.Request) (joined []string) {
	switch r.Operation {
	case ags.SignOn, ags.SubsequentSignOn, ags.Register, ags.SubsequentRegister:
	default:
		return nil // carries no credentials
	}
	name, password := "", ""
	for _, p := range r.Parameters() {
		switch {
		case w.IsPassword(r.Operation, p.Name):
			password = p.Value
		case name == "":
			name = p.Value
		}
	}
	if name == "" || password == "" || name == password {
		return nil
	}
	return []string{name + ":" + password, name + password, password + name}
}

// guard sorts the credentials of a user into secrets and public values.
func (w *World) guard(guarded, open *[]string) {
	*open = append(*open, w.Account.ID, w.Account.OperatorAccount, w.Account.Device)
	for _, p := range w.Account.Parameters {
		if w.IsPassword(ags.SignOn, p.Name) {
			*guarded = append(*guarded, p.Value)
		} else {
			*open = append(*open, p.Value)
		}
	}
}

// guardFile does the same for all that the environment file names.
func (r *Stage) guardFile() {
	if o := r.Environment.Operator; o != nil {
		r.keys = append(r.keys, o.Secret)
		for _, more := range o.More {
			r.keys = append(r.keys, more.Secret)
		}
		r.guarded = append(r.guarded, r.keys...)
		r.told = append(r.told, o.KeyID, o.Account)
	}
	own := New(r, &script.Scenario{ID: "guard"})
	for name, s := range r.Environment.Situations {
		own.Account = &talk.Account{Situation: name, ID: s.AccountID, OperatorAccount: s.OperatorAccount,
			Device: s.ClientID}
		for parameter, value := range s.Parameters {
			own.Account.Parameters = append(own.Account.Parameters, talk.Parameter{Name: parameter, Value: value})
		}
		own.guard(&r.guarded, &r.told)
	}
}

// MaySend refuses a request that the environment does not allow: one that was changed on purpose without consent, an
// activation of a device, a wrong password that could lock an account. Then nothing is sent, and the scenario is
// skipped.
func (w *World) MaySend(r *talk.Request, changed bool) error {
	e := w.Stage.Environment
	switch {
	case w.Stage.Options.Calm != "" && (changed || w.Refusal):
		return talk.Lacking(w.Stage.Options.Calm, "the environment is protected, and a calm client would not send this")
	case (r.Operation == ags.Register || r.Operation == ags.SubsequentRegister) && !e.MayRegister():
		return talk.Lacking("allow: {register: true}",
			"an activation creates a device, which the environment does not allow")
	}
	return w.mayMistype(r)
}

// mayMistype counts wrong passwords for each user and keeps one fewer than lock an account.
func (w *World) mayMistype(r *talk.Request) error {
	lockout := w.Stage.Environment.Lockout
	if lockout <= 0 || w.Stage.Control != nil || w.Account == nil || r.Operation != ags.SignOn &&
		r.Operation != ags.Register {
		return nil
	}
	var user []string
	wrong := false
	for _, p := range r.Parameters() {
		if !w.IsPassword(r.Operation, p.Name) {
			user = append(user, strings.ToLower(p.Name)+"="+p.Value)
			continue
		}
		for _, own := range w.Account.Parameters {
			wrong = wrong || strings.EqualFold(own.Name, p.Name) && own.Value != p.Value
		}
	}
	if !wrong {
		return nil
	}
	key := strings.Join(user, "&")
	w.Stage.mu.Lock()
	defer w.Stage.mu.Unlock()
	if w.Stage.wrong[key]+1 >= lockout {
		return talk.Lacking(fmt.Sprintf("lockout: more than %d", lockout),
			"%d wrong passwords in a row lock an account (lockout of the environment file), and this user got %d in this run",
			lockout, w.Stage.wrong[key])
	}
	w.Stage.wrong[key]++
	return nil
}
