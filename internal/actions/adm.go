package actions

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"agstest/internal/environment"
	"agstest/internal/tokens"
)

// statusOf is the new status of an account (the page "Change an account's status").
var statusOf = map[Kind]string{Suspend: "SUSPENDED", Restrict: "RESTRICTED", Reactivate: "ACTIVE"}

// adm makes the public calls of the Account and Device Manager. A PUT sets members that it leaves out to null, so adm
// reads the account first and sends it back whole but for its status.
func (f *file) adm(ctx context.Context, o Order) error {
	settings := f.environment.Actions.ADM
	token := settings.Token
	if settings.Tokens != nil {
		var err error
		if token, err = f.values.Get(ctx, settings.Tokens); err != nil {
			return fmt.Errorf("the token of the operator could not be had: %w", err)
		}
	}
	caller, err := f.caller()
	if err != nil {
		return err
	}
	headers := map[string]string{"Authorization": "Bearer " + strings.TrimPrefix(token, "Bearer "),
		"nv-tenant-id": cmp.Or(o.Tenant, f.environment.Tenant)}
	if headers["nv-tenant-id"] == "" {
		delete(headers, "nv-tenant-id")
	}
	base := strings.TrimRight(settings.URL, "/")
	send := func(method, path string, body []byte) ([]byte, error) {
		q := &environment.TokenRequest{Method: method, URL: base + path, Headers: headers, Body: string(body)}
		return tokens.Send(ctx, caller, q, func(func(string) string) *strings.Replacer { return strings.NewReplacer() })
	}
	if o.Kind == Clear {
		_, err := send(http.MethodDelete, "/adm/v1/devices?accountUid="+url.QueryEscape(o.AccountID), nil)
		return err
	}
	path := "/adm/v1/accounts/" + url.PathEscape(o.AccountID)
	text, err := send(http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var account map[string]any
	if decoder.Decode(&account) != nil || account == nil {
		return fmt.Errorf(
			"the answer to GET %s is no JSON object, so the account cannot be sent back with another status", base+path)
	}
	if _, ok := account["status"].(string); !ok {
		return fmt.Errorf("the answer to GET %s holds no status, so it is no account", base+path)
	}
	account["status"] = statusOf[o.Kind]
	body, err := json.Marshal(account)
	if err != nil {
		return err
	}
	text, err = send(http.MethodPut, path, body)
	if err != nil {
		return err
	}
	var said struct {
		Matched *json.Number `json:"matchedCount"`
	}
	if json.Unmarshal(text, &said) == nil && said.Matched != nil && *said.Matched == "0" {
		return errors.New("PUT " + base + path + " matched no account")
	}
	return nil
}
