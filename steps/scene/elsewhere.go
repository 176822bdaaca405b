package scene

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/strictjson"
	"agstest/steps/talk"
)

// addressHeaders are the headers by which a caller, or a proxy for it, gives its address.
var addressHeaders = []string{"X-Forwarded-For", "Forwarded", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP"}

// LetInFromElsewhere returns why a call from a blocked place that was let in shows nothing: the account is exempt, or
// the place is in a header alone, which a gateway on the way may have replaced (Caddy and most clouds do) or which the
// service need not believe. It is nil if the answer shows that the address was believed, or the caller comes through a
// proxy: then the service was wrong, and so it was if another call from there is refused for the place.
func (w *World) LetInFromElsewhere(ctx context.Context, x *talk.Exchange) error {
	if w.Subject == nil || w.Subject.Situation != "geo-blocked" && w.Subject.Situation != "vpn" {
		return nil
	}
	name := w.Subject.Situation
	s := w.Stage.Environment.Situations[name]
	if name == "geo-blocked" && claims(x, "geoBlockExempt") {
		return talk.Lacking("situations.geo-blocked with an account that is not exempt from geo-blocking",
			"the account is exempt from geo-blocking, as the claim geoBlockExempt of its access token says, so it is let in "+
				"from anywhere")
	}
	if w.Stage.Control != nil || s.Proxy != "" {
		return nil
	}
	for header, value := range s.Headers {
		for _, known := range addressHeaders {
			if !strings.EqualFold(header, known) {
				continue
			}
			if shows(x, value) {
				return nil
			}
			if refused := w.refusedElsewhere(ctx, x); refused != "" {
				return talk.Missf("status 403", "%s, although the address in %s is believed: %s", w.Describe(x), header,
					refused)
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return talk.Unknownf("the call was let in (%s), and nothing in the answer shows that the address in %s was "+
				"believed: a gateway on the way may replace it; give situations.%s a proxy in such a place", w.Describe(x), header,
				name)
		}
	}
	return nil
}

// refusedElsewhere returns another call of the same account from the same place that is refused with a sub-code of the
// place; empty if there is none. It is the control of a call that was accepted: a gateway replaces the place for both.
// With the credentials of the account no device is made; a new device costs one of the budget if it is accepted.
func (w *World) refusedElsewhere(ctx context.Context, x *talk.Exchange) string {
	key := strings.Join([]string{w.Subject.Situation, x.Request.Operation, w.Account.Situation, w.Account.ID}, "\n")
	r := w.Stage
	r.mu.Lock()
	refused, known := r.refusedThere[key]
	r.mu.Unlock()
	if known {
		return refused
	}
	for _, try := range []struct {
		said string
		send func(context.Context, *talk.Exchange) (*talk.Exchange, error)
	}{{"signOn with the credentials", w.credentialsFromThere}, {"a sign-on with a session token",
		w.sessionTokenFromThere}, {"a new device", w.newDeviceFromThere}} {
		o, err := try.send(ctx, x)
		if o == nil || err != nil || EffectiveStatus(o) != http.StatusForbidden {
			continue
		}
		if code, ok := check.SubCode(o.Exchange); ok && slices.Contains(w.Subject.Codes, code) {
			refused = fmt.Sprintf("%s from there is refused (%s)", try.said, w.Describe(o))
			break
		}
	}
	if ctx.Err() != nil {
		return ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refusedThere[key] = refused
	return refused
}

// credentialsFromThere signs the device of the account on with its credentials, where the file gives some, from where
// the situation is; a user of several accounts is to be offered a list. Without an error it may send nothing.
func (w *World) credentialsFromThere(ctx context.Context, x *talk.Exchange) (*talk.Exchange, error) {
	if x.Request.Operation == ags.SubsequentSignOn {
		r, err := w.CredentialRequest(ags.SignOn)
		if err != nil {
			return nil, err
		}
		r.Set("deviceInformation", []byte(w.Device()))
		own := New(w.Stage, w.Scenario)
		own.Control, own.Account, own.Tenant, own.Service = true, w.Account, w.Tenant, w.Service
		return own.Send(ctx, r, true)
	}
	if x.Request.Operation != ags.SignOnWithSessionToken {
		return nil, nil
	}
	own, err := w.sameFromThere("credentials")
	if own == nil {
		return nil, err
	}
	r, err := own.CredentialRequest(ags.SignOn)
	if err != nil {
		return nil, err
	}
	r.Set("clientId", talk.JSON(own.Client.ID))
	return own.Send(ctx, r, true)
}

// sessionTokenFromThere is the reverse, for a user who was let in with credentials.
func (w *World) sessionTokenFromThere(ctx context.Context, x *talk.Exchange) (*talk.Exchange, error) {
	if x.Request.Operation != ags.SignOn {
		return nil, nil
	}
	own, err := w.sameFromThere("active")
	if own == nil {
		return nil, err
	}
	r, err := own.SignOnWithSessionToken(ctx)
	if err != nil {
		return nil, err
	}
	r.Set("clientId", talk.JSON(own.Client.ID))
	return own.Send(ctx, r, true)
}

// sameFromThere acts for the account of this scenario as another situation names it, from where the situation of the
// scenario is. Nil: it names another account, which may be treated in another way.
func (w *World) sameFromThere(situation string) (*World, error) {
	own := New(w.Stage, w.Scenario)
	own.Control = true
	if err := own.UseShared(situation); err != nil {
		return nil, err
	}
	same := own.Account.ID != "" && own.Account.ID == w.Account.ID || own.Account.Device != "" &&
		own.Account.Device == w.Account.Device
	if !same || own.Client == nil {
		return nil, nil
	}
	return own, own.callAs(w.Subject.Situation, w.Stage.Environment.Situations[w.Subject.Situation])
}

// newDeviceFromThere sends the call as a new device.
func (w *World) newDeviceFromThere(ctx context.Context, x *talk.Exchange) (*talk.Exchange, error) {
	return w.aside(ctx, x.Request, func(r *talk.Request) bool {
		if r.Get("clientId") == nil {
			return false
		}
		r.Drop("clientId")
		r.Set("deviceInformation", []byte(w.Device()))
		return true
	})
}

// payloads are the claims of the tokens in an answer, as JSON.
func payloads(x *talk.Exchange) [][]byte {
	var found [][]byte
	body, _ := strictjson.Parse(x.Body)
	for _, member := range []string{"access_token", "refresh_token"} {
		parts := strings.Split(body.Get(member).String(), ".")
		if len(parts) != 3 {
			continue
		}
		if payload, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
			found = append(found, payload)
		}
	}
	return found
}

// claims tells that a token of an answer has a claim that is true.
func claims(x *talk.Exchange, name string) bool {
	for _, payload := range payloads(x) {
		if v, _ := strictjson.Parse(payload); v != nil && talk.IsTrue(v.Get(name)) {
			return true
		}
	}
	return false
}

// shows tells that an answer or a token in it holds a text.
func shows(x *talk.Exchange, text string) bool {
	if text == "" {
		return false
	}
	for _, held := range append(payloads(x), x.Body) {
		if bytes.Contains(held, []byte(text)) {
			return true
		}
	}
	return false
}
