package steps

import (
	"fmt"
	"strings"

	"agstest/ags"
)

// maySend refuses a request that the environment does not allow: one that was changed on purpose while nobody said yes, an activation of
// a device, a wrong password that could lock an account. Nothing is sent then, and the scenario is skipped.
func (w *world) maySend(r *request, changed bool) error {
	e := w.run.environment
	switch {
	case w.run.options.Calm != "" && (changed || w.refusal):
		return lacking(w.run.options.Calm, "the environment is protected, and a calm client would not send this")
	case (r.operation == ags.Register || r.operation == ags.SubsequentRegister) && !e.MayRegister():
		return lacking("allow: {register: true}", "an activation creates a device, which the environment does not allow")
	}
	return w.mayMistype(r)
}

// mayMistype counts wrong passwords for each user and keeps one fewer than lock an account.
func (w *world) mayMistype(r *request) error {
	lockout := w.run.environment.Lockout
	if lockout <= 0 || w.run.control != nil || w.account == nil || r.operation != ags.SignOn && r.operation != ags.Register {
		return nil
	}
	var user []string
	wrong := false
	for _, p := range r.parameters() {
		if !w.isPassword(r.operation, p.Name) {
			user = append(user, strings.ToLower(p.Name)+"="+p.Value)
			continue
		}
		for _, own := range w.account.parameters {
			wrong = wrong || strings.EqualFold(own.Name, p.Name) && own.Value != p.Value
		}
	}
	if !wrong {
		return nil
	}
	key := strings.Join(user, "&")
	w.run.mu.Lock()
	defer w.run.mu.Unlock()
	if w.run.wrong[key]+1 >= lockout {
		return lacking(fmt.Sprintf("lockout: more than %d", lockout), "%d wrong passwords in a row lock an account (lockout of the environment file), and this user got %d in this run", lockout, w.run.wrong[key])
	}
	w.run.wrong[key]++
	return nil
}
