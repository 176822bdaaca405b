package steps

import (
	"context"
)

// What happens to the devices of an account.
var devicePhrases = []phrase{
	given(`the devices of the account are counted`, "the devices of the account are counted", "the devices of the account are counted",
		"Remembers how many devices the account has, through the control interface of the mock or an action of the environment file (list).",
		func(ctx context.Context, w *world, _ arguments) (err error) {
			w.deviceCount, err = w.countDevices(ctx)
			w.counting = true
			return err
		}),
	then(`the account has (no|one|two) more devices?`, "the account has <no|one|two> more device", "the account has no more device",
		"Compares with the count before.",
		func(ctx context.Context, w *world, a arguments) error {
			n, err := w.countDevices(ctx)
			if err != nil {
				return err
			}
			if wanted := map[string]int{"no": 0, "one": 1, "two": 2}[a.words[0]]; n-w.deviceCount != wanted {
				return missf(a.words[0]+" more device", "%d before and %d now", w.deviceCount, n)
			}
			return nil
		}),
	then(`it is recorded how many devices the account has gained`, "it is recorded how many devices the account has gained", "it is recorded how many devices the account has gained",
		"The report shows the difference to the count before.",
		func(ctx context.Context, w *world, _ arguments) error {
			n, err := w.countDevices(ctx)
			if err != nil {
				return err
			}
			w.observe("%d more", n-w.deviceCount)
			return nil
		}),
	then(`it is recorded whether the session token is another one than before`, "it is recorded whether the session token is another one than before", "it is recorded whether the session token is another one than before",
		"The report shows whether two answers of getSessionToken hold different session tokens.",
		func(_ context.Context, w *world, _ arguments) error {
			if len(w.issued) < 2 {
				return unknownf("%s came in place of two session tokens", plural(len(w.issued), "session token"))
			}
			if w.issued[len(w.issued)-1] == w.issued[len(w.issued)-2] {
				w.observe("the same again")
			} else {
				w.observe("another one")
			}
			return nil
		}),
	given(`the client takes over the session token`, "the client takes over the session token", "the client takes over the session token",
		"The sign-ons that follow use the session token that getSessionToken answered with last.",
		func(_ context.Context, w *world, _ arguments) error {
			if len(w.issued) == 0 {
				return unknownf("getSessionToken has not answered with a session token before")
			}
			w.sessionToken = w.issued[len(w.issued)-1]
			return nil
		}),
	then(`the accounts of the picked sign-ons differ`, "the accounts of the picked sign-ons differ", "the accounts of the picked sign-ons differ",
		"Each userAccountToken leads to its own account.",
		func(_ context.Context, w *world, _ arguments) error {
			seen := map[string]bool{}
			picked := 0
			if len(w.offers) > 1 && w.offers[0].token == w.offers[1].token {
				w.observe("one userAccountToken stands for all accounts, so which account it leads to cannot be asked for")
				return nil
			}
			for _, c := range w.offers {
				if c.account == "" {
					continue
				}
				picked++
				if seen[c.account] {
					return missf("an account of its own for each userAccountToken", "account %s twice", c.account)
				}
				seen[c.account] = true
			}
			if picked < 2 {
				return unknownf("fewer than two accounts were picked")
			}
			return nil
		}),
}

func (w *world) countDevices(ctx context.Context) (int, error) {
	if w.run.control == nil {
		return w.countDevicesLive(ctx)
	}
	return w.run.control.devices(ctx, w.tenant, w.account.id)
}
