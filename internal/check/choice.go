package check

import (
	"fmt"

	"agstest/ags"
	"agstest/internal/figures"
	"agstest/internal/strictjson"
)

// choice judges a 300 answer: the accounts to pick from.
func (j *judge) choice() {
	j.noTokens("SSO-06")
	if !j.is(ags.SignOn, ags.Register) {
		return
	}
	j.contentType(true)
	list := j.object().Get("accounts")
	missing := ""
	switch {
	case j.object() == nil:
		missing = j.notObject()
	case list == nil || list.Kind != ags.Array:
		missing = "accounts is " + describe(list)
	case j.bodyErr != nil:
		missing = j.bodyErr.Error()
	}
	if j.is(ags.Register) {
		j.rule("REG-02", missing == "", "an array accounts", first(missing, "an array"))
	}
	if missing != "" {
		j.add("SSO-03", Broken, "an array accounts of at least two", missing)
		return
	}
	j.rule("SSO-03", len(list.Items) >= 2, "an array accounts of at least two", figures.Plural(len(list.Items), "account"))
	if len(list.Items) == 0 {
		return
	}
	j.accountInformation(list)
	j.accountTokens(list)
}

func (j *judge) accountInformation(list *strictjson.Value) {
	const expected = "a string accountInformation that holds JSON"
	for i, item := range list.Items {
		v := item.Get("accountInformation")
		if v == nil || v.Kind != ags.String {
			j.add("SSO-04", Soft, expected, fmt.Sprintf("accounts[%d].accountInformation is %s", i, describe(v)))
			return
		}
		held, err := strictjson.Parse([]byte(v.Text))
		if err != nil && !strictjson.Recoverable(err) {
			j.add("SSO-04", Soft, expected, fmt.Sprintf("accounts[%d].accountInformation: %s", i, err))
			return
		}
		if held.Kind == ags.String { // JSON that was put into a text twice
			j.add("SSO-04", Soft, expected,
				fmt.Sprintf("accounts[%d].accountInformation holds a text in place of an object", i))
			return
		}
	}
	j.add("SSO-04", Held, expected, fmt.Sprintf("all %d", len(list.Items)))
}

func (j *judge) accountTokens(list *strictjson.Value) {
	const expected = "a userAccountToken for every account, in the account or at the top level"
	shared := first(j.object().Get("userAccountToken").String(), j.x.Header.Get(ags.HeaderUserToken))
	seen := map[string]bool{}
	for i, item := range list.Items {
		token := textBelow(item, "userAccountToken")
		switch {
		case token == "" && shared == "":
			j.add("SSO-05", Broken, expected,
				fmt.Sprintf("accounts[%d].userAccountToken is %s, and none is at the top level",
					i, describe(item.Get("userAccountToken"))))
			return
		case token != "" && seen[token]:
			// One token for all is a possible reading of the pages (ambiguity 7.21), though it cannot say which account was
			// picked.
			j.add("SSO-05", Soft, "a userAccountToken that tells the accounts apart",
				fmt.Sprintf("accounts[%d] has the token of another account", i))
			return
		}
		seen[token] = token != ""
	}
	j.add("SSO-05", Held, expected, fmt.Sprintf("all %d", len(list.Items)))
}
