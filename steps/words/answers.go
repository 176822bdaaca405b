package words

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/redact"
	"agstest/internal/strictjson"
	"agstest/internal/wire"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// answerPhrases are Then sentences about answers. A list of statuses or codes reads "400, 401 or 403".
var answerPhrases = []Sentence{
	then("the status is <statuses>[, or with a warning <statuses>]",
		"The last answer has one of these statuses. A refusal of the gateway with status 200 and resultCode 99999:403 "+
			"counts as 403.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			x, err := w.Last()
			if err != nil {
				return err
			}
			return statusIs(ctx, w, x, a.words[0], a.words[1])
		}).like("the status is 401, or with a warning 400 or 403").reading(
		`the status is (` + statuses + `)(?:, or with a warning (` + statuses + `))?`),
	then("the service refuses",
		"The last answer has a status from 400 to 499 and holds no tokens.",
		withAnswer(func(w *scene.World, x *talk.Exchange, _ arguments) error {
			if scene.EffectiveStatus(x)/100 != 4 {
				return talk.Missf("a status from 400 to 499", "%s", w.Describe(x))
			}
			if why := w.Unproven(x); why != "" {
				return talk.Unknownf("%s", why)
			}
			refusalWasWanted(w, x)
			return scene.NoTokens(x)
		})),
	then("the error code is <codes>",
		"The last answer gives one of these sub-codes, as code, errorCode, error.code or in resultCode, as a number or a "+
			"text. An answer without any warns.",
		withAnswer(func(_ *scene.World, x *talk.Exchange, a arguments) error {
			return codeIs(x, a.words[0],
				true)
		})).like("the error code is 20018 or 20021"),
	then("the error code, if there is one, is <codes>",
		"Like the step above, but an answer without a sub-code is fine.",
		withAnswer(func(_ *scene.World, x *talk.Exchange, a arguments) error {
			return codeIs(x, a.words[0],
				false)
		})).like("the error code, if there is one, is 20020"),
	then("the answer holds no tokens",
		"The last answer has neither access_token nor refresh_token, at any depth.",
		withAnswer(func(_ *scene.World, x *talk.Exchange, _ arguments) error { return scene.NoTokens(x) })),
	then("the answer is a JSON object with these members: (table)",
		"Rows of | member | kind |, the kinds being string, integer, boolean, object, array. A kind may be followed by "+
			"\"not empty\" or \"positive\".",
		withAnswer(func(w *scene.World, x *talk.Exchange, a arguments) error { return membersAre(w, x, a.Table) })),
	then(`the member "<path>" is "<text>", in any case`,
		"The member of the last answer is this text, upper or lower case.",
		func(_ context.Context, w *scene.World, a arguments) error {
			v, err := w.Member(a.words[0])
			if err != nil {
				return err
			}
			if !strings.EqualFold(v.String(), a.words[1]) {
				return talk.Missf(fmt.Sprintf("%s %q in any case", a.words[0], a.words[1]), "%s", talk.Show(v))
			}
			return nil
		}).like(`the member "token_type" is "bearer", in any case`),
	then(`the answer has no member "<path>"`,
		"The last answer has no such member.",
		func(_ context.Context, w *scene.World, a arguments) error {
			v, err := w.Member(a.words[0])
			if err != nil {
				return err
			}
			if v != nil {
				return talk.Missf("no member "+a.words[0], "%s", talk.Show(v))
			}
			return nil
		}).like(`the answer has no member "access_token"`),
	then(`the error has a text "<member>"`,
		"Where the error is a JSON object, it has this member as a non-empty text; other forms of errors are fine.",
		withAnswer(func(_ *scene.World, x *talk.Exchange, a arguments) error {
			return errorHasText(x,
				a.words[0])
		})).like(`the error has a text "message"`),
	then(`the error gives its code in the member "<member>"`,
		"The sub-code stands in this very member.",
		func(_ context.Context, w *scene.World, a arguments) error {
			v, err := w.Member(a.words[0])
			if err != nil {
				return err
			}
			text := v.String()
			if n, ok := v.Int(); ok {
				text = strconv.FormatInt(n, 10)
			}
			if _, err := strconv.Atoi(text); err != nil {
				return talk.Missf("a number in the member "+a.words[0], "%s", talk.Show(v))
			}
			return nil
		}).like(`the error gives its code in the member "code"`),
	then("nothing that was submitted in secret is repeated in the answer",
		"Session tokens, passwords and tokens of the request do not stand in the last answer.",
		withAnswer(func(_ *scene.World, x *talk.Exchange, _ arguments) error {
			for _, s := range x.Known.Secrets {
				if strings.Contains(string(x.Body), s) {
					return talk.Missf("no submitted secret in the answer",
						"one of the %d submitted secrets stands in the body", len(x.Known.Secrets))
				}
			}
			return nil
		})),
	then("neither the operator's key nor a password is given away",
		"Neither stands in the body of the last answer, in its headers or in the claims of its tokens.",
		withAnswer(func(_ *scene.World, x *talk.Exchange, _ arguments) error { return givesNothingAway(x) })),
	then("the answer declares a JSON content type",
		"Content-Type is application/json or ends in +json, with any parameter.",
		withAnswer(func(_ *scene.World, x *talk.Exchange, _ arguments) error {
			if len(x.Body) > 0 && !jsonType.MatchString(x.Header.Get("Content-Type")) {
				return talk.Missf("a JSON content type", "Content-Type %q", x.Header.Get("Content-Type"))
			}
			return nil
		})),
	then("it is recorded how the service answers",
		"Nothing public says what must come: the report shows what came.",
		withAnswer(func(w *scene.World, x *talk.Exchange, _ arguments) error {
			refusalWasWanted(w, x)
			w.Observe("%s", w.Describe(x))
			return nil
		})),
	then("no tokens of that account or device come",
		"The last answer is a refusal, or holds tokens, and they are not of the account and the device of another whom the "+
			"request names.",
		withAnswer(func(w *scene.World, x *talk.Exchange, _ arguments) error { return noneOfOthers(w, x) })),
	then("it is recorded whether the refusals tell who has an account",
		"Compares the refusal of a wrong password with those of two users whom nobody knows, the last three answers: "+
			"status, sub-code, wording and names of headers. What differs between the last two counts for nothing.",
		func(_ context.Context, w *scene.World, _ arguments) error { return tellsUsers(w) }),
	then("it is recorded what pages of other origins may do",
		"The report shows status and Access-Control headers of the last answer.",
		withAnswer(func(w *scene.World, x *talk.Exchange, _ arguments) error {
			refusalWasWanted(w, x)
			w.Observe("%s", crossOrigin(x))
			return nil
		})),
	then("it is recorded whether the session token can be used again",
		"The report shows whether a session token that was accepted before is accepted once more.",
		withAnswer(func(w *scene.World, x *talk.Exchange, _ arguments) error {
			refusalWasWanted(w, x)
			switch status := scene.EffectiveStatus(x); {
			case status/100 == 2:
				w.Observe("yes: a session token can be used more than once (%s)", w.Describe(x))
			case status/100 == 4 && scene.NoRoom(x) == "":
				w.Observe("no: a session token can be used once (%s)", w.Describe(x))
			default:
				w.Observe("%s", w.Describe(x))
			}
			return nil
		})),
	then("it is recorded whether that much gets through",
		"The report shows what came to the last request, and whether it looks like the page of a gateway.",
		withAnswer(func(w *scene.World, x *talk.Exchange, _ arguments) error {
			refusalWasWanted(w, x)
			what := w.Describe(x)
			if title, page := wire.GatewayPage(x.Exchange); page {
				what = fmt.Sprintf("no: status %d of what looks like a gateway", x.Status)
				if title != "" {
					what += ", with the page “" + w.Stage.Secrets.Text(title) + "”"
				}
			} else if scene.EffectiveStatus(x)/100 == 2 {
				what = "yes: " + what
			}
			size, _, _ := strings.Cut(strings.TrimPrefix(x.Tampered, "the next request has "), ";")
			w.Observe("%s: %s", size, what)
			return nil
		})),
	then("the answer does not offer itself to caches",
		"Its Cache-Control neither says public nor for how long caches that others use may keep it. What it says is recorded.",
		withAnswer(func(w *scene.World, x *talk.Exchange, _ arguments) error {
			said := strings.Join(x.Header.Values("Cache-Control"), ", ")
			if check.Offered(said) {
				return talk.Missf("no offer of tokens to caches", "Cache-Control %s", said)
			}
			if !strings.Contains(strings.ToLower(said), "no-store") {
				w.Observe("Cache-Control: %s", cmp.Or(said, "not there"))
			}
			return nil
		})),
	then(`it is recorded whether the answer has the header "<name>"`,
		"The report shows the header of the last answer.",
		withAnswer(func(w *scene.World, x *talk.Exchange, a arguments) error {
			if v := x.Header.Values(a.words[0]); len(v) > 0 {
				w.Observe("status %d with %s: %s", x.Status, a.words[0], strings.Join(v, ", "))
			} else {
				w.Observe("status %d without %s", x.Status, a.words[0])
			}
			return nil
		})).like(`it is recorded whether the answer has the header "WWW-Authenticate"`),
	then(`it is recorded whether the answer has the member "<path>"`,
		"The report shows whether the member is there.",
		withAnswer(func(w *scene.World, x *talk.Exchange, a arguments) error {
			v, _ := w.Member(a.words[0])
			refusalWasWanted(w, x)
			if v == nil {
				w.Observe("status %d without %s", x.Status, a.words[0])
			} else {
				w.Observe("status %d with %s", x.Status, a.words[0])
			}
			return nil
		})).like(`it is recorded whether the answer has the member "errorCode"`),
	then("it is recorded what the answer holds",
		"The report shows whether the body is empty, holds tokens, or something else.",
		withAnswer(func(w *scene.World, x *talk.Exchange, _ arguments) error {
			body, _ := strictjson.Parse(x.Body)
			switch {
			case len(x.Body) == 0:
				w.Observe("an empty body")
			case scene.FindsTokens(body):
				w.Observe("a token body")
			case body != nil:
				w.Observe("a JSON %s", body.Kind)
			default:
				w.Observe("a body that is not JSON")
			}
			return nil
		})),
	then(`the result code is "<text>"`,
		"resultCode of the last answer, the gateway's own way to say why.",
		func(_ context.Context, w *scene.World, a arguments) error {
			v, err := w.Member("resultCode")
			if err != nil {
				return err
			}
			if v.String() != a.words[0] {
				return talk.Missf("resultCode "+a.words[0], "%s", talk.Shown(v))
			}
			return nil
		}).like(`the result code is "99999:403"`).reading(`the result code is "([^"]+)"`),
	then("it is recorded whether the correlation id comes back",
		"The report shows whether x-correlation-id of the request stands in the header of the answer.",
		withAnswer(func(w *scene.World, x *talk.Exchange, _ arguments) error {
			switch sent, got := x.Request.HeaderValue(ags.HeaderCorrelation), x.Header.Get(ags.HeaderCorrelation); {
			case got == "":
				w.Observe("not echoed")
			case got == sent:
				w.Observe("echoed")
			default:
				w.Observe("answered with another value")
			}
			return nil
		})),
	then("it is recorded with which statuses both were answered",
		"The report shows the statuses of two calls that were sent at the same moment.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			if len(w.Exchanges) < 2 {
				return talk.Unknownf("fewer than two calls were sent")
			}
			var statuses []int
			for _, x := range w.Exchanges[len(w.Exchanges)-2:] {
				statuses = append(statuses, scene.EffectiveStatus(x))
				refusalWasWanted(w, x)
			}
			slices.Sort(statuses) // which of two simultaneous calls wins is chance
			w.Observe("%d and %d", statuses[0], statuses[1])
			return nil
		}),
	then("the service is offered over https",
		"The address of the service starts with https.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			address := w.Stage.Environment.URL
			if strings.HasPrefix(strings.ToLower(address), "https://") {
				return nil
			}
			if w.Stage.Environment.Local() {
				return talk.Lacking("url: https://…",
					"the service runs on this machine over plain http, which says nothing about how it is offered")
			}
			return talk.Missf("an address that starts with https://", "%s", address)
		}),
	then("the list offers at least <number> accounts",
		"The last answer 300 has so many accounts.",
		withAnswer(func(_ *scene.World, x *talk.Exchange, a arguments) error {
			list, err := check.Accounts(x.Exchange)
			if err != nil {
				return talk.Missf("an array accounts", "%v", err)
			}
			if len(list) < number(a.words[0]) {
				return talk.Missf("at least "+a.words[0]+" accounts", "%d", len(list))
			}
			return nil
		})).like("the list offers at least 2 accounts"),
	then("each account of the list has an accountInformation that is JSON in a text",
		"The text of accountInformation parses as JSON.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			if len(w.Offers) == 0 {
				return talk.Missf("accounts to choose from", "none")
			}
			for i, c := range w.Offers {
				if v, err := strictjson.Parse([]byte(c.Information)); v == nil {
					return talk.Missf("JSON in the text accountInformation", "account %d: %v", i+1, err)
				} else if v.Kind == ags.String {
					return talk.Missf("JSON in the text accountInformation",
						"account %d: JSON that was put into a text twice", i+1)
				}
			}
			return nil
		}),
	then("each account of the list can be picked by a userAccountToken",
		"A userAccountToken stands in each account or at the top of the answer.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			if len(w.Offers) == 0 {
				return talk.Missf("accounts to choose from", "none")
			}
			for i, c := range w.Offers {
				if c.Token == "" {
					return talk.Missf("a userAccountToken for each account", "none for account %d", i+1)
				}
			}
			return nil
		}),
}

var jsonType = regexp.MustCompile(`(?i)^\s*[a-z]+/(?:[a-z0-9.+-]+\+)?json\s*(?:;|$)`)

// withAnswer judges the last answer; if nothing was sent before, there is none to judge.
func withAnswer(judge func(*scene.World, *talk.Exchange, arguments) error) func(context.Context, *scene.World,
	arguments) error {
	return func(_ context.Context, w *scene.World, a arguments) error {
		x, err := w.Last()
		if err != nil {
			return err
		}
		return judge(w, x, a)
	}
}

// numbers reads "400, 401 or 403".
func numbers(text string) []int {
	var list []int
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' }) {
		n, _ := strconv.Atoi(word)
		list = append(list, n)
	}
	return list
}

// refusalWasWanted accepts a refusal with status 200 as a refusal, if the scenario wants one.
func refusalWasWanted(w *scene.World, x *talk.Exchange) {
	if scene.EffectiveStatus(x) == x.Status {
		return
	}
	for i := range w.Findings {
		f := &w.Findings[i]
		if f.Requirement == "GW-02" && f.Outcome == check.Broken && f.Exchange >= 0 && w.Exchanges[f.Exchange] == x {
			f.Outcome, f.Expected, f.Got = check.Held, "", ""
			w.Findings = append(w.Findings, talk.Finding{Requirement: "GW-02", Outcome: check.Observed,
				Exchange: f.Exchange,
				Got:      "refused in the legacy way: status 200 with resultCode 99999:403, taken as a refusal"})
			return
		}
	}
}

func statusIs(ctx context.Context, w *scene.World, x *talk.Exchange, wanted, tolerated string) error {
	if x.Err != nil {
		return talk.Missf("a whole answer", "status %d, but %s", x.Status, scene.ErrorText(x.Err))
	}
	status := scene.EffectiveStatus(x)
	expected := "status " + wanted
	refusal := slices.ContainsFunc(numbers(wanted), func(s int) bool { return s/100 == 4 })
	x.Unneeded.Store(!refusal || slices.ContainsFunc(numbers(wanted), func(s int) bool { return s/100 == 2 }))
	if why := w.Unproven(x); refusal && why != "" {
		return talk.Unknownf("%s", why)
	}
	if !refusal && x.Tampered == "" {
		w.RefusedGood(x)
	}
	if !refusal && status/100 == 4 && w.NeverWorked(x) { // the documented request is refused too
		return talk.Unknownf("%s", cmp.Or(x.Uncontrolled, fmt.Sprintf("the session token of situations.%s let nobody in "+
			"during this run: it may have expired or be used up; give a fresh one, or operator, so that fresh ones are minted",
			w.Account.Situation)))
	}
	switch {
	case slices.Contains(numbers(wanted), status):
		if len(numbers(wanted)) > 1 {
			w.Came = w.Describe(x)
		}
		if status/100 == 4 {
			refusalWasWanted(w, x)
			return scene.NoTokens(x)
		}
		return nil
	case slices.Contains(numbers(tolerated), status):
		refusalWasWanted(w, x)
		return talk.SoftMissf(expected, "%s", w.Describe(x))
	}
	if why := cmp.Or(scene.Barred(x), w.WantsToken(x)); why != "" {
		return talk.Unknownf("%s", why)
	}
	if refusal && status/100 == 2 {
		if err := w.LetInFromElsewhere(ctx, x); err != nil {
			return err
		}
	}
	return talk.Missf(expected, "%s", w.Describe(x))
}

func codeIs(x *talk.Exchange, wanted string, demanded bool) error {
	code, ok := check.SubCode(x.Exchange)
	if code == x.Status {
		ok = false // an error that repeats its status gives no reason
	}
	switch {
	case ok && slices.Contains(numbers(wanted), code):
		return nil
	case ok && !demanded && code/1000 == 20 && !ags.IsSubCode(code):
		return talk.SoftMissf("the sub-code "+wanted, "%d, which no page names", code)
	case ok && (demanded || code/1000 == 20):
		return talk.Missf("the sub-code "+wanted, "%d", code)
	case !demanded:
		return nil
	case x.Status == http.StatusNotFound:
		return nil // the other documented way to say that something does not exist has no sub-code
	}
	return talk.SoftMissf("the sub-code "+wanted, "an answer %d without any, so the reason could not be told", x.Status)
}

func membersAre(w *scene.World, x *talk.Exchange, table [][]string) error {
	body, _ := strictjson.Parse(x.Body) // a member that stands twice is the judge's to find
	if body == nil || body.Kind != ags.Object {
		return talk.Missf("a JSON object", "%s whose body is none", w.Describe(x))
	}
	return talk.Checking("the members of the table", func(e *talk.Expectations) {
		for _, row := range table[1:] {
			talk.KindHolds(e, row[0], body.Get(row[0]), row[1])
		}
	})
}

// errorHasText looks for a text in an error that is a JSON object.
func errorHasText(x *talk.Exchange, name string) error {
	body, _ := strictjson.Parse(x.Body)
	if body == nil || body.Kind != ags.Object {
		return nil
	}
	if body.Get(name).String() == "" {
		return talk.Missf("a text in the member "+name, "%s", talk.Show(body.Get(name)))
	}
	return nil
}

// givesNothingAway looks for guarded secrets in all parts of an answer.
func givesNothingAway(x *talk.Exchange) error {
	told := []string{string(x.Body)}
	for _, values := range x.Header {
		told = append(told, values...)
	}
	for _, candidate := range compactJWS.FindAllString(string(x.Body), 20) {
		if jws, err := check.ParseJWS(candidate); err == nil {
			told = append(told, string(jws.Payload))
		}
	}
	if len(x.Known.Guarded) == 0 {
		return talk.Lacking("operator: {secret: …}",
			"the environment knows neither a key of the operator nor a password, which an answer could give away")
	}
	for _, secret := range x.Known.Guarded {
		for _, text := range told {
			if len(secret) >= redact.MinSecret && strings.Contains(text, secret) {
				return talk.Missf("neither the operator's key nor a password", "one of them stands in the answer")
			}
		}
	}
	return nil
}

var compactJWS = regexp.MustCompile(`[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`)
