package steps

import "context"

// liveConcurrency is how many scenarios run at the same time on a live service: most of their time they wait for answers.
const liveConcurrency = 32

// fewScenarios are over soon enough one after the other.
const fewScenarios = 40

// lookAtSessions finds out, with about five requests, whether a sign-on of a device leaves its other sessions alone: then scenarios that use the same
// device do not disturb each other. Where that is not so, or is not known, they run one after the other.
func (r *run) lookAtSessions(ctx context.Context) {
	if r.control != nil || r.concurrency == 1 || r.options.Calm != "" || len(r.selection.scenarios) < fewScenarios || r.environment.Situations["active"].SessionToken != "" {
		return
	}
	w := newWorld(r, &scenario{id: "sessions"})
	w.control, w.sharing = true, true
	if w.useAccount(ctx, "active", 0) != nil || w.makeClient(ctx) != nil || w.ensureTokens(ctx) != nil {
		return
	}
	first := w.refreshRequest()
	w.client.pair = nil
	if w.ensureTokens(ctx) != nil {
		return
	}
	x, err := w.send(ctx, first, true)
	r.sessionsApart = err == nil && granted(x)
}
