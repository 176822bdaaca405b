package scene

import (
	"slices"
	"strings"

	"agstest/ags"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// Guarded lists the secrets that no answer may give away: the keys of the operator and the passwords of the users that
// the environment file names or the scenario acts for. It leaves out a password that is part of something public, such
// as the user name.
func (w *World) Guarded() []string {
	w.Stage.guard.Do(w.Stage.guardFile)
	guarded, open := slices.Clone(w.Stage.guarded), slices.Concat(w.Stage.told, []string{w.Tenant, w.Service})
	if w.Account != nil {
		w.guard(&guarded, &open)
	}
	slices.Sort(guarded)
	return slices.DeleteFunc(slices.Compact(guarded), func(secret string) bool {
		return secret == "" || slices.ContainsFunc(open, func(text string) bool { return strings.Contains(text, secret) })
	})
}

// Passwords lists those of the guarded secrets that are no keys of the operator.
func (w *World) Passwords() []string {
	return slices.DeleteFunc(w.Guarded(), func(secret string) bool { return slices.Contains(w.Stage.keys, secret) })
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
		own.Account = &talk.Account{Situation: name, ID: s.AccountID, OperatorAccount: s.OperatorAccount, Device: s.ClientID}
		for parameter, value := range s.Parameters {
			own.Account.Parameters = append(own.Account.Parameters, talk.Parameter{Name: parameter, Value: value})
		}
		own.guard(&r.guarded, &r.told)
	}
}
