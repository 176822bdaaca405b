package scene

import (
	"fmt"
	"strings"

	"agstest/ags"
	"agstest/steps/talk"
)

// MaySend refuses a request that the environment does not allow: one that was changed on purpose without consent, an
// activation of a device, a wrong password that could lock an account. Then nothing is sent, and the scenario is
// skipped.
func (w *World) MaySend(r *talk.Request, changed bool) error {
	e := w.Stage.Environment
	switch {
	case w.Stage.Options.Calm != "" && (changed || w.Refusal):
		return talk.Lacking(w.Stage.Options.Calm, "the environment is protected, and a calm client would not send this")
	case (r.Operation == ags.Register || r.Operation == ags.SubsequentRegister) && !e.MayRegister():
		return talk.Lacking("allow: {register: true}", "an activation creates a device, which the environment does not allow")
	}
	return w.mayMistype(r)
}

// mayMistype counts wrong passwords for each user and keeps one fewer than lock an account.
func (w *World) mayMistype(r *talk.Request) error {
	lockout := w.Stage.Environment.Lockout
	if lockout <= 0 || w.Stage.Control != nil || w.Account == nil || r.Operation != ags.SignOn && r.Operation != ags.Register {
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
		return talk.Lacking(fmt.Sprintf("lockout: more than %d", lockout), "%d wrong passwords in a row lock an account (lockout of the environment file), and this user got %d in this run", lockout, w.Stage.wrong[key])
	}
	w.Stage.wrong[key]++
	return nil
}
