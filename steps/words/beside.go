package words

import (
	"net/url"
	"slices"

	"agstest/steps/scene"
	"agstest/steps/talk"
)

// nameBeside puts an account and a device into a request that shows the token of others. Either may be empty.
func nameBeside(r *talk.Request, place, account, device string) {
	values := []talk.Parameter{{Name: "accountId", Value: account}, {Name: "clientId", Value: device}, {Name: "deviceId", Value: device}}
	values = slices.DeleteFunc(values, func(p talk.Parameter) bool { return p.Value == "" })
	switch place {
	case "a member", "members":
		for _, v := range values {
			r.Set(v.Name, talk.JSON(v.Value))
		}
	case "a parameter", "parameters":
		r.Set("parameters", talk.JSON(append(r.Parameters(), values...)))
	case "a header", "headers":
		for _, v := range values {
			r.SetHeader(map[string]string{"accountId": "X-Account-Id", "clientId": "X-Client-Id", "deviceId": "X-Device-Id"}[v.Name], v.Value)
		}
	case "the query":
		query := url.Values{}
		for _, v := range values {
			query.Set(v.Name, v.Value)
		}
		r.Path += "?" + query.Encode()
	}
}

// noneOfOthers looks whether an answer holds tokens of the account or device that the request named beside its token.
func noneOfOthers(w *scene.World, x *talk.Exchange) error {
	if scene.EffectiveStatus(x)/100 == 4 {
		if why := w.Unproven(x); why != "" {
			return talk.Unknownf("%s", why)
		}
		return scene.NoTokens(x)
	}
	pair, err := scene.ReadPair(x)
	if err != nil {
		return talk.Missf("tokens of the client, or a refusal", "%s", w.Describe(x))
	}
	for _, one := range []struct{ what, got, other string }{
		{"accountId", pair.AccountID, w.Owner}, {"client_id", pair.ClientID, w.Foreign},
		{"accountId of the access token", pair.Access.Account, w.Owner}, {"deviceId of the access token", pair.Access.Device, w.Foreign},
		{"accountId of the refresh token", pair.Refresh.Account, w.Owner}, {"deviceId of the refresh token", pair.Refresh.Device, w.Foreign},
	} {
		if one.other != "" && one.got == one.other {
			return talk.Missf("tokens of the client, or a refusal", "%s with the %s of the other, whom the request names", w.Describe(x), one.what)
		}
	}
	return nil
}
