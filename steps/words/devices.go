package words

import (
	"context"

	"agstest/internal/figures"
	"agstest/internal/strictjson"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// devicePhrases are sentences about the devices of an account.
var devicePhrases = []Sentence{
	given("an account that has <number> devices and may have <number>",
		"An active account whose device limit the operator has set below what it has, through the control interface of the "+
			"mock. The device that was made last acts.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			return w.UseAccountAboveLimit(ctx, number(a.words[0]), number(a.words[1]))
		}).like("an account that has 3 devices and may have 1").reading(
		`an account that has (\d+) devices and may have (\d+)`),
	given("the devices of the account are counted",
		"Remembers how many devices the account has, through the control interface of the mock or an action of the "+
			"environment file (list).",
		func(ctx context.Context, w *scene.World, _ arguments) (err error) {
			w.DeviceCount, err = countDevices(ctx, w)
			w.Counting = true
			return err
		}),
	then("the account has <no|one|two> more device",
		"Compares with the count before.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			n, err := countDevices(ctx, w)
			if err != nil {
				return err
			}
			if wanted := map[string]int{"no": 0, "one": 1, "two": 2}[a.words[0]]; n-w.DeviceCount != wanted {
				return talk.Missf(a.words[0]+" more device", "%d before and %d now", w.DeviceCount, n)
			}
			return nil
		}).like("the account has no more device").reading(`the account has (no|one|two) more devices?`),
	then("it is recorded how many devices the account has gained",
		"The report shows the difference to the count before.",
		func(ctx context.Context, w *scene.World, _ arguments) error {
			n, err := countDevices(ctx, w)
			if err != nil {
				return err
			}
			w.Observe("%d more", n-w.DeviceCount)
			return nil
		}),
	then("it is recorded whether the session token is another one than before",
		"The report shows whether two answers of getSessionToken hold different session tokens.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			if len(w.Issued) < 2 {
				return talk.Unknownf("%s came in place of two session tokens",
					figures.Plural(len(w.Issued), "session token"))
			}
			if w.Issued[len(w.Issued)-1] == w.Issued[len(w.Issued)-2] {
				w.Observe("the same again")
			} else {
				w.Observe("another one")
			}
			return nil
		}),
	then("none of the session tokens can be guessed from the others",
		"The session tokens that getSessionToken answered with in the scenario, one after the other, neither count up nor "+
			"differ in a few characters only. Encodings in base64 and hexadecimal digits are looked through.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			return unguessable("session token", w.Issued)
		}),
	then("none of the userAccountTokens can be guessed from the others",
		"The userAccountTokens of all lists of accounts in the scenario neither count up nor differ in a few characters "+
			"only, and none is a value of the accountInformation beside it, in clear, encoded or hashed.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			issued, err := userTokens(w)
			switch {
			case err != nil:
				return err
			case len(issued) == 0:
				return talk.Lacking("", "the lists of accounts offer no userAccountToken")
			}
			return unguessable("userAccountToken", issued)
		}),
	then("none of the refresh tokens can be guessed from the others",
		"The same for the refresh tokens that refresh answered with in the scenario, where they are opaque.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			issued, err := refreshTokens(w)
			if err != nil {
				return err
			}
			return unguessable("refresh token", issued)
		}),
	given("the client takes over the session token",
		"The sign-ons that follow use the session token that getSessionToken answered with last.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			if len(w.Issued) == 0 {
				return talk.Unknownf("getSessionToken has not answered with a session token before")
			}
			w.SessionToken = w.Issued[len(w.Issued)-1]
			return nil
		}),
	then("the accounts of the picked sign-ons differ",
		"Each userAccountToken leads to its own account.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			seen := map[string]bool{}
			picked := 0
			if len(w.Offers) > 1 && w.Offers[0].Token == w.Offers[1].Token {
				w.Observe(
					"one userAccountToken stands for all accounts, so which account it leads to cannot be asked for")
				return nil
			}
			for _, c := range w.Offers {
				if c.Account == "" {
					continue
				}
				picked++
				if seen[c.Account] {
					return talk.Missf("an account of its own for each userAccountToken", "account %s twice", c.Account)
				}
				seen[c.Account] = true
			}
			if picked < 2 {
				return talk.Unknownf("fewer than two accounts were picked")
			}
			return asInformed(w.Offers)
		}),
}

// asInformed checks that an accountInformation names the account that its userAccountToken led to. Its content is each
// provider's own, so it is wrong only if it names another of the accounts that were picked and not this one.
func asInformed(offers []talk.Offer) error {
	for i, c := range offers {
		information, _ := strictjson.Parse([]byte(c.Information))
		if c.Account == "" || information == nil || says(information, c.Account) {
			continue
		}
		for _, other := range offers {
			if other.Account != "" && other.Account != c.Account && says(information, other.Account) {
				return talk.Missf("the account of the accountInformation that was picked",
					"accountInformation %d names account %s, and its userAccountToken leads to %s", i+1, other.Account,
					c.Account)
			}
		}
	}
	return nil
}

// says tells of a text or number at any depth.
func says(v *strictjson.Value, text string) bool {
	if v == nil {
		return false
	}
	for _, m := range v.Members {
		if says(m.Value, text) {
			return true
		}
	}
	for _, item := range v.Items {
		if says(item, text) {
			return true
		}
	}
	return v.Text == text
}

func countDevices(ctx context.Context, w *scene.World) (int, error) {
	if w.Stage.Control == nil {
		return w.CountDevicesLive(ctx)
	}
	return w.Stage.Control.Devices(ctx, w.Tenant, w.Account.ID)
}
