package steps

import (
	"context"
	"fmt"
	"time"

	"agstest/internal/failure"
	"agstest/steps/scene"
	"agstest/steps/script"
)

// SignedOn is the result of a sign-on whose refresh token is for a later run.
type SignedOn struct {
	Situation, AccountID, ClientID, Tenant string
	RefreshToken                           string
	Expires                                time.Time // of the refresh token, by its claim exp or by refresh_expires_in
	// there is no token, in words without a secret; empty: there is one
	Why string
}

// keepable are the situations whose refresh tokens show something later: the token of the account in good standing
// expires, the others belong to accounts that the operator shuts out one day.
var keepable = []string{"active", "suspended-account", "cancelled-account"}

// SignOnToKeep signs the devices of situations on with session tokens, one after the other, and returns their refresh
// tokens. It judges nothing. Errors are of the kinds failure.Usage and failure.Setup, or that of ctx.
func SignOnToKeep(ctx context.Context, o Options) ([]SignedOn, error) {
	r, err := newRun(o, selection{})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	reached, err := r.Client.Reach(ctx)
	if err != nil && ctx.Err() == nil {
		return nil, r.Environment.Located(err)
	}
	r.Discover(ctx, reached)
	var list []SignedOn
	for _, name := range keepable {
		s, given := o.Environment.Situations[name]
		if !given {
			continue
		}
		one := SignedOn{Situation: name, ClientID: s.ClientID}
		if s.ClientID == "" {
			one.Why = fmt.Sprintf("situations.%s names no clientId", name)
		} else if err := r.signOnToKeep(ctx, &one); err != nil {
			one.Why = r.Secrets.Text(err.Error())
		}
		if ctx.Err() != nil {
			return list, ctx.Err()
		}
		list = append(list, one)
	}
	if len(list) == 0 {
		return nil, failure.Usagef(
			"%s names no account whose refresh token could be kept; add situations.active with a clientId",
			o.Environment.Name)
	}
	return list, nil
}

func (r *run) signOnToKeep(ctx context.Context, one *SignedOn) error {
	w := scene.New(r.Stage, &script.Scenario{ID: "prepare"})
	if err := w.UseShared(one.Situation); err != nil {
		return err
	}
	if err := w.EnsureTokens(ctx); err != nil {
		return err
	}
	p := w.Client.Pair
	one.AccountID, one.Tenant, one.RefreshToken = p.AccountID, w.Tenant, p.RefreshToken
	switch {
	case p.Refresh.Exp > 0:
		one.Expires = time.Unix(p.Refresh.Exp, 0)
	case p.RefreshExpiresIn > 0:
		one.Expires = r.clock().Add(time.Duration(p.RefreshExpiresIn) * time.Second)
	default:
		return fmt.Errorf(
			"nothing tells when its refresh token expires: there is no claim exp and no refresh_expires_in")
	}
	return nil
}
