package wire

import (
	"context"
	"net/http"
	"strings"

	"agstest/ags"
)

// ReachHeadEnd finds out, where getSessionToken gave no session token, whether it can be where the section operator of
// an environment file puts it; the client is that of the section. What answers a call without a token with a redirect,
// a page of success or the words of a port of TLS is no AGS, and neither is it there where no connection comes about.
// Every other answer is for others to judge. An error is of the kind failure.Setup, and KeyOf is below operator.
func (c *Client) ReachHeadEnd(ctx context.Context) error {
	call := c.discovery()
	call.Operation, call.Method, call.Path = ags.GetSessionToken, http.MethodPost, "/ags/getSessionToken"
	call.Header["Content-Type"], call.Body = []string{"application/json"}, []byte("{}")
	if c.target.Service != "" {
		call.Header[ags.HeaderService] = []string{c.target.Service}
	}
	x := c.Do(ctx, call)
	why := c.misplaced(x)
	if why == nil || ctx.Err() != nil || x.Status == 0 && c.speakHTTP2(ctx, x) {
		return nil
	}
	key := KeyOf(why)
	if key != "proxy" {
		key = "operator." + key
	}
	return Blame(key, "%s", ofOperator.Replace(why.Error()))
}

// misplaced returns what is wrong with an answer that shows a wrong address; nil for all others.
func (c *Client) misplaced(x *Exchange) error {
	if x.NoConnection || plainToTLS(x) || StandIn(x) != "" {
		return c.strange(x)
	}
	return nil
}

// ofOperator puts the keys of the section operator in place of those of the file.
var ofOperator = strings.NewReplacer(" in url", " in operator.url", " into url", " into operator.url", " check url",
	" check operator.url", " that url", " that operator.url", " as url", " as operator.url", " tls.", " operator.tls.")
