package steps

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/strictjson"
	"agstest/internal/wire"
)

// What the answers must be. A list of statuses or codes reads "400, 401 or 403".
var answerPhrases = []phrase{
	then(`the status is ([0-9][0-9, or]*?)(?:, or with a warning ([0-9][0-9, or]*))?`, "the status is <statuses>[, or with a warning <statuses>]", "the status is 401, or with a warning 400 or 403",
		"The last answer has one of these statuses. A refusal of the gateway with status 200 and resultCode 99999:403 counts as 403.",
		withAnswer(func(w *world, x *exchange, a arguments) error { return w.statusIs(x, a.words[0], a.words[1]) })),
	then(`the service refuses`, "the service refuses", "the service refuses",
		"The last answer has a status from 400 to 499 and holds no tokens.",
		withAnswer(func(w *world, x *exchange, _ arguments) error {
			if effectiveStatus(x)/100 != 4 {
				return missf("a status from 400 to 499", "%s", w.describe(x))
			}
			if why := w.unproven(x); why != "" {
				return unknownf("%s", why)
			}
			w.refusalWasWanted(x)
			return noTokens(x)
		})),
	then(`the error code is ([0-9][0-9, or]*)`, "the error code is <codes>", "the error code is 20018 or 20021",
		"The last answer gives one of these sub-codes, as code, errorCode, error.code or in resultCode, as a number or a text. An answer without any warns.",
		withAnswer(func(_ *world, x *exchange, a arguments) error { return codeIs(x, a.words[0], true) })),
	then(`the error code, if there is one, is ([0-9][0-9, or]*)`, "the error code, if there is one, is <codes>", "the error code, if there is one, is 20020",
		"Like the step above, but an answer without a sub-code is fine.",
		withAnswer(func(_ *world, x *exchange, a arguments) error { return codeIs(x, a.words[0], false) })),
	then(`the answer holds no tokens`, "the answer holds no tokens", "the answer holds no tokens",
		"The last answer has neither access_token nor refresh_token, at any depth.",
		withAnswer(func(_ *world, x *exchange, _ arguments) error { return noTokens(x) })),
	then(`the answer is a JSON object with these members:`, "the answer is a JSON object with these members: (table)", "the answer is a JSON object with these members:",
		"Rows of | member | kind |, the kinds being string, integer, boolean, object, array. A kind may be followed by \"not empty\" or \"positive\".",
		withAnswer(func(w *world, x *exchange, a arguments) error { return w.membersAre(x, a.table) })),
	then(`the member "([^"]+)" is "([^"]*)", in any case`, `the member "<path>" is "<text>", in any case`, `the member "token_type" is "bearer", in any case`,
		"The member of the last answer is this text, upper or lower case.",
		func(_ context.Context, w *world, a arguments) error {
			v, err := w.member(a.words[0])
			if err != nil {
				return err
			}
			if !strings.EqualFold(v.String(), a.words[1]) {
				return missf(fmt.Sprintf("%s %q in any case", a.words[0], a.words[1]), "%s", show(v))
			}
			return nil
		}),
	then(`the answer has no member "([^"]+)"`, `the answer has no member "<path>"`, `the answer has no member "access_token"`,
		"The last answer has no such member.",
		func(_ context.Context, w *world, a arguments) error {
			v, err := w.member(a.words[0])
			if err != nil {
				return err
			}
			if v != nil {
				return missf("no member "+a.words[0], "%s", show(v))
			}
			return nil
		}),
	then(`the error has a text "([^"]+)"`, `the error has a text "<member>"`, `the error has a text "message"`,
		"Where the error is a JSON object, it has this member as a non-empty text; other forms of errors are fine.",
		withAnswer(func(_ *world, x *exchange, a arguments) error { return errorHasText(x, a.words[0]) })),
	then(`the error gives its code in the member "([^"]+)"`, `the error gives its code in the member "<member>"`, `the error gives its code in the member "code"`,
		"The sub-code stands in this very member.",
		func(_ context.Context, w *world, a arguments) error {
			v, err := w.member(a.words[0])
			if err != nil {
				return err
			}
			text := v.String()
			if n, ok := v.Int(); ok {
				text = strconv.FormatInt(n, 10)
			}
			if _, err := strconv.Atoi(text); err != nil {
				return missf("a number in the member "+a.words[0], "%s", show(v))
			}
			return nil
		}),
	then(`nothing that was submitted in secret is repeated in the answer`, "nothing that was submitted in secret is repeated in the answer", "nothing that was submitted in secret is repeated in the answer",
		"Session tokens, passwords and tokens of the request do not stand in the last answer.",
		withAnswer(func(_ *world, x *exchange, _ arguments) error {
			for _, s := range x.known.Secrets {
				if strings.Contains(string(x.Body), s) {
					return missf("no submitted secret in the answer", "one of the %d submitted secrets stands in the body", len(x.known.Secrets))
				}
			}
			return nil
		})),
	then(`the answer declares a JSON content type`, "the answer declares a JSON content type", "the answer declares a JSON content type",
		"Content-Type is application/json or ends in +json, with any parameter.",
		withAnswer(func(_ *world, x *exchange, _ arguments) error {
			if len(x.Body) > 0 && !jsonType.MatchString(x.Header.Get("Content-Type")) {
				return missf("a JSON content type", "Content-Type %q", x.Header.Get("Content-Type"))
			}
			return nil
		})),
	then(`it is recorded how the service answers`, "it is recorded how the service answers", "it is recorded how the service answers",
		"Nothing public says what must come: the report shows what came.",
		withAnswer(func(w *world, x *exchange, _ arguments) error {
			w.refusalWasWanted(x)
			w.observe("%s", w.describe(x))
			return nil
		})),
	then(`it is recorded whether that much gets through`, "it is recorded whether that much gets through", "it is recorded whether that much gets through",
		"The report shows what came to the last request, and whether it looks like the page of a gateway.",
		withAnswer(func(w *world, x *exchange, _ arguments) error {
			w.refusalWasWanted(x)
			what := w.describe(x)
			if title, page := wire.GatewayPage(x.Exchange); page {
				what = fmt.Sprintf("no: status %d of what looks like a gateway", x.Status)
				if title != "" {
					what += ", with the page “" + w.run.secrets.Text(title) + "”"
				}
			} else if effectiveStatus(x)/100 == 2 {
				what = "yes: " + what
			}
			size, _, _ := strings.Cut(strings.TrimPrefix(x.tampered, "the next request has "), ";")
			w.observe("%s: %s", size, what)
			return nil
		})),
	then(`it is recorded whether the answer has the header "([^"]+)"`, `it is recorded whether the answer has the header "<name>"`, `it is recorded whether the answer has the header "WWW-Authenticate"`,
		"The report shows the header of the last answer.",
		withAnswer(func(w *world, x *exchange, a arguments) error {
			if v := x.Header.Values(a.words[0]); len(v) > 0 {
				w.observe("status %d with %s: %s", x.Status, a.words[0], strings.Join(v, ", "))
			} else {
				w.observe("status %d without %s", x.Status, a.words[0])
			}
			return nil
		})),
	then(`it is recorded whether the answer has the member "([^"]+)"`, `it is recorded whether the answer has the member "<path>"`, `it is recorded whether the answer has the member "errorCode"`,
		"The report shows whether the member is there.",
		withAnswer(func(w *world, x *exchange, a arguments) error {
			v, _ := w.member(a.words[0])
			w.refusalWasWanted(x)
			if v == nil {
				w.observe("status %d without %s", x.Status, a.words[0])
			} else {
				w.observe("status %d with %s", x.Status, a.words[0])
			}
			return nil
		})),
	then(`it is recorded what the answer holds`, "it is recorded what the answer holds", "it is recorded what the answer holds",
		"The report shows whether the body is empty, holds tokens, or something else.",
		withAnswer(func(w *world, x *exchange, _ arguments) error {
			body, _ := strictjson.Parse(x.Body)
			switch {
			case len(x.Body) == 0:
				w.observe("an empty body")
			case findsTokens(body):
				w.observe("a token body")
			case body != nil:
				w.observe("a JSON %s", body.Kind)
			default:
				w.observe("a body that is not JSON")
			}
			return nil
		})),
	then(`the result code is "([^"]+)"`, `the result code is "<text>"`, `the result code is "99999:403"`,
		"resultCode of the last answer, the gateway's own way to say why.",
		func(_ context.Context, w *world, a arguments) error {
			v, err := w.member("resultCode")
			if err != nil {
				return err
			}
			if v.String() != a.words[0] {
				return missf("resultCode "+a.words[0], "%s", shown(v))
			}
			return nil
		}),
	then(`it is recorded whether the correlation id comes back`, "it is recorded whether the correlation id comes back", "it is recorded whether the correlation id comes back",
		"The report shows whether x-correlation-id of the request stands in the header of the answer.",
		withAnswer(func(w *world, x *exchange, _ arguments) error {
			switch sent, got := x.request.headerValue(ags.HeaderCorrelation), x.Header.Get(ags.HeaderCorrelation); {
			case got == "":
				w.observe("not echoed")
			case got == sent:
				w.observe("echoed")
			default:
				w.observe("answered with another value")
			}
			return nil
		})),
	then(`it is recorded with which statuses both were answered`, "it is recorded with which statuses both were answered", "it is recorded with which statuses both were answered",
		"The report shows the statuses of two calls that were sent at the same moment.",
		func(_ context.Context, w *world, _ arguments) error {
			if len(w.exchanges) < 2 {
				return unknownf("fewer than two calls were sent")
			}
			var statuses []int
			for _, x := range w.exchanges[len(w.exchanges)-2:] {
				statuses = append(statuses, effectiveStatus(x))
				w.refusalWasWanted(x)
			}
			slices.Sort(statuses) // which of two simultaneous calls wins is chance
			w.observe("%d and %d", statuses[0], statuses[1])
			return nil
		}),
	then(`the service is offered over https`, "the service is offered over https", "the service is offered over https",
		"The address of the service starts with https.",
		func(_ context.Context, w *world, _ arguments) error {
			address := w.run.environment.URL
			if strings.HasPrefix(strings.ToLower(address), "https://") {
				return nil
			}
			if loopback.MatchString(address) {
				return lacking("url: https://…", "the service runs on this machine over plain http, which says nothing about how it is offered")
			}
			return missf("an address that starts with https://", "%s", address)
		}),
	then(`the list offers at least (\d+) accounts`, "the list offers at least <number> accounts", "the list offers at least 2 accounts",
		"The last answer 300 has so many accounts.",
		withAnswer(func(_ *world, x *exchange, a arguments) error {
			list, err := check.Accounts(x.Exchange)
			if err != nil {
				return missf("an array accounts", "%v", err)
			}
			if len(list) < number(a.words[0]) {
				return missf("at least "+a.words[0]+" accounts", "%d", len(list))
			}
			return nil
		})),
	then(`each account of the list has an accountInformation that is JSON in a text`, "each account of the list has an accountInformation that is JSON in a text", "each account of the list has an accountInformation that is JSON in a text",
		"The text of accountInformation parses as JSON.",
		func(_ context.Context, w *world, _ arguments) error {
			if len(w.offers) == 0 {
				return missf("accounts to choose from", "none")
			}
			for i, c := range w.offers {
				if v, err := strictjson.Parse([]byte(c.information)); v == nil {
					return missf("JSON in the text accountInformation", "account %d: %v", i+1, err)
				}
			}
			return nil
		}),
	then(`each account of the list can be picked by a userAccountToken`, "each account of the list can be picked by a userAccountToken", "each account of the list can be picked by a userAccountToken",
		"A userAccountToken stands in each account or at the top of the answer.",
		func(_ context.Context, w *world, _ arguments) error {
			if len(w.offers) == 0 {
				return missf("accounts to choose from", "none")
			}
			for i, c := range w.offers {
				if c.token == "" {
					return missf("a userAccountToken for each account", "none for account %d", i+1)
				}
			}
			return nil
		}),
}

var (
	jsonType = regexp.MustCompile(`(?i)^\s*[a-z]+/(?:[a-z0-9.+-]+\+)?json\s*(?:;|$)`)
	loopback = regexp.MustCompile(`(?i)^http://(?:localhost|127\.[0-9.]+|\[::1\])(?::|/|$)`)
)

// withAnswer judges the last answer; where nothing was sent before there is none to judge.
func withAnswer(judge func(*world, *exchange, arguments) error) func(context.Context, *world, arguments) error {
	return func(_ context.Context, w *world, a arguments) error {
		x, err := w.last()
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

// refusalWasWanted takes a refusal with status 200 for what it is, a refusal, where one was to come.
func (w *world) refusalWasWanted(x *exchange) {
	if effectiveStatus(x) == x.Status {
		return
	}
	for i := range w.findings {
		f := &w.findings[i]
		if f.requirement == "GW-02" && f.outcome == check.Broken && f.exchange >= 0 && w.exchanges[f.exchange] == x {
			f.outcome, f.expected, f.got = check.Held, "", ""
			w.findings = append(w.findings, finding{requirement: "GW-02", outcome: check.Observed, exchange: f.exchange,
				got: "refused in the legacy way: status 200 with resultCode 99999:403, taken as a refusal"})
			return
		}
	}
}

func (w *world) statusIs(x *exchange, wanted, tolerated string) error {
	if x.Err != nil {
		return missf("a whole answer", "status %d, but %s", x.Status, errorText(x.Err))
	}
	status := effectiveStatus(x)
	expected := "status " + wanted
	refusal := slices.ContainsFunc(numbers(wanted), func(s int) bool { return s/100 == 4 })
	if why := w.unproven(x); refusal && why != "" {
		return unknownf("%s", why)
	}
	switch {
	case slices.Contains(numbers(wanted), status):
		if status/100 == 4 {
			w.refusalWasWanted(x)
			return noTokens(x)
		}
		return nil
	case slices.Contains(numbers(tolerated), status):
		w.refusalWasWanted(x)
		return softMissf(expected, "%s", w.describe(x))
	}
	if refusal && status/100 == 2 {
		if err := w.letInFromElsewhere(x); err != nil {
			return err
		}
	}
	return missf(expected, "%s", w.describe(x))
}

func codeIs(x *exchange, wanted string, demanded bool) error {
	code, ok := check.SubCode(x.Exchange)
	if code == x.Status {
		ok = false // an error that repeats its status gives no reason
	}
	switch {
	case ok && slices.Contains(numbers(wanted), code):
		return nil
	case ok && !demanded && code/1000 == 20 && !ags.IsSubCode(code):
		return softMissf("the sub-code "+wanted, "%d, which no page names", code)
	case ok && (demanded || code/1000 == 20):
		return missf("the sub-code "+wanted, "%d", code)
	case !demanded:
		return nil
	case x.Status == http.StatusNotFound:
		return nil // the other documented way to say that something does not exist has no sub-code
	}
	return softMissf("the sub-code "+wanted, "an answer %d without any, so the reason could not be told", x.Status)
}

func (w *world) membersAre(x *exchange, table [][]string) error {
	body, _ := strictjson.Parse(x.Body) // a member that stands twice is the judge's to find
	if body == nil || body.Kind != ags.Object {
		return missf("a JSON object", "%s whose body is none", w.describe(x))
	}
	return checking("the members of the table", func(e *expectations) {
		for _, row := range table[1:] {
			kindHolds(e, row[0], body.Get(row[0]), row[1])
		}
	})
}

// errorHasText looks for a text in an error that is a JSON object.
func errorHasText(x *exchange, name string) error {
	body, _ := strictjson.Parse(x.Body)
	if body == nil || body.Kind != ags.Object {
		return nil
	}
	if body.Get(name).String() == "" {
		return missf("a text in the member "+name, "%s", show(body.Get(name)))
	}
	return nil
}
