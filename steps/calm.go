package steps

import (
	"regexp"
	"strings"

	messages "github.com/cucumber/messages/go/v34"

	"agstest/ags"
	"agstest/steps/scene"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// calmSteps are the sentences whose requests a calm client sends too: with good tokens and passwords, as documented,
// one after the other. Sentences that only look at answers send nothing and need not be listed; every other one makes
// its scenario more than calm. So does a second turn of the same sentence.
var calmSteps = regexp.MustCompile(
	`^(an account in good standing|a device of the account|a client that is signed on|a user with one account|the client asks for the authentication services|` +
		`the client signs on with a session token and its clientId|the user signs on with the credentials and the clientId|the client refreshes its tokens|the client signs out|` +
		`the head-end system asks for a session token|the client takes over the session token)$`)

// actsOf lists the steps of a scenario that set up or send something, without those that only look.
func actsOf(s *script.Scenario) []string {
	var acts []string
	for _, step := range s.Pickle.Steps {
		if step.Type != messages.PickleStepType_OUTCOME {
			acts = append(acts, step.Text)
		}
	}
	return acts
}

// isCalm tells whether a scenario sends only requests that a calm client sends, apart from steps that only look; see
// world.send.
func isCalm(s *script.Scenario) bool {
	seen := map[string]bool{}
	for _, act := range actsOf(s) {
		if !calmSteps.MatchString(act) || seen[act] || seen["the client signs out"] {
			return false
		}
		seen[act] = true
	}
	return len(seen) > 0
}

// calmest picks the scenarios that a calm run plays: of those that send the same, the first, since one answer tells as
// much as many. The judge looks at every answer, whatever the scenario is about.
func calmest(scenarios []*script.Scenario) map[*script.Scenario]bool {
	picked, sent := map[*script.Scenario]bool{}, map[string]bool{}
	for _, s := range scenarios {
		acts := strings.Join(actsOf(s), "\n")
		if isCalm(s) && !sent[acts] {
			sent[acts], picked[s] = true, true
		}
	}
	return picked
}

// mayBegin refuses a scenario that needs a yes, before it has sent anything.
func (r *run) mayBegin(s *script.Scenario) error {
	if part := script.AbsentPart(r.Environment, s); part != "" {
		return talk.Lacking("", script.AbsentLead+"%s, as absent in the environment file says", part)
	}
	if left := r.LeftChanged(); left != "" {
		return talk.Unknownf(
			"what an action changed %s; nothing more is checked, as the service is not as the environment file says",
			left)
	}
	if r.options.Calm == "" || r.calm[s] {
		return nil
	}
	if isCalm(s) {
		return talk.Lacking(r.options.Calm,
			"the environment is protected, and another scenario has sent the same already")
	}
	return talk.Lacking(r.options.Calm,
		"the environment is protected, and the scenario sends more than a calm client would")
}

// Forecast is the requests that a run will send, as far as the scenarios show beforehand.
type Forecast struct {
	Scenarios      int // that will send something
	LeftOut        int // for want of a yes
	Requests       int // about
	Devices        int // that first-time sign-ons and activations may create, at most
	WrongPasswords int // at most
}

var (
	createsDevice = regexp.MustCompile(`for the first time|activates|registers|another device|new device|second client`)
	wrongPassword = regexp.MustCompile(`wrong password`)
)

// requestsOf is about how many requests the steps of a scenario send.
func requestsOf(acts []string) (requests int) {
	for _, act := range acts {
		switch {
		case strings.HasPrefix(act, "the next request"), strings.HasSuffix(act, " pass"):
		case strings.HasPrefix(act, "the client keeps"), strings.Contains(act, " times"):
			requests += 5
		default:
			requests++
		}
	}
	return requests
}

// ForecastOf returns the forecast of a run. Its errors are those of Run before anything is sent.
func ForecastOf(o Options) (Forecast, error) {
	var f Forecast
	_, all, err := understand(o.Features)
	if err != nil {
		return f, err
	}
	chosen, err := choose(all, o)
	if err != nil {
		return f, err
	}
	calm := calmest(chosen.scenarios)
	e, signsOut := o.Environment, false
	for _, s := range chosen.scenarios {
		if script.AbsentPart(e, s) != "" {
			continue
		}
		if o.Calm != "" && !calm[s] {
			f.LeftOut++
			continue
		}
		f.Scenarios++
		signsOut = signsOut || scene.SignsOut(s)
		text := strings.Join(actsOf(s), "\n")
		f.Requests += requestsOf(actsOf(s))
		if createsDevice.MatchString(text) && (e.Allow.FirstTime || e.Mock != nil) {
			f.Devices++
		}
		if wrongPassword.MatchString(text) {
			f.WrongPasswords++
		}
	}
	if e.Mock == nil {
		if signsOut || o.Generate > 0 {
			f.Devices += e.DeviceBudget() // what signs out needs devices of its own, and odd requests may make some
		}
		f.Devices = min(f.Devices, e.DeviceBudget())
	}
	f.Requests += o.Generate*len(ags.Operations) + o.Sequences*10
	if o.Calm == "" {
		f.Requests *= max(o.Repeat, 1)
		f.WrongPasswords *= max(o.Repeat, 1)
	}
	f.Requests++ // servicediscovery at the start
	if e.Mock == nil && e.Lockout > 0 {
		accounts := 0
		for _, s := range e.Situations {
			if len(s.Parameters) > 0 {
				accounts++
			}
		}
		f.WrongPasswords = min(f.WrongPasswords, accounts*(e.Lockout-1))
	}
	return f, nil
}
