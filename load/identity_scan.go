package load

import (
	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/wire"
)

// tokens is what is read of every token body.
type tokens struct {
	AccessToken, RefreshToken, ClientID, AccountID []byte
	Access, Refresh                                claims
}

type claims struct{ JTI, TenantID, DeviceID, AccountID []byte }

// scanTokens reads a token body.
func scanTokens(body []byte, t *tokens) error {
	pair, err := check.ReadPair(&wire.Exchange{Call: wire.Call{Operation: ags.Refresh}, Status: 200, Body: body})
	if err != nil {
		return err
	}
	of := func(c check.Claims) claims {
		return claims{[]byte(c.JTI), []byte(c.Tenant), []byte(c.Device), []byte(c.Account)}
	}
	*t = tokens{[]byte(pair.AccessToken), []byte(pair.RefreshToken), []byte(pair.ClientID), []byte(pair.AccountID), of(pair.Access), of(pair.Refresh)}
	return nil
}
