package clients

import (
	"bytes"
	"net/http"

	"agstest/load/hit"
	"agstest/load/transport"
)

// undecided tells whether a wrong answer says nothing of the token that was sent: no answer came, or one of a gateway
// or of a service in trouble (RFC 9110 section 15.6: the server failed to fulfil an apparently valid request). The
// client keeps its token, and tries again with it as a real one does. The service may have taken the token before it
// failed; if it is single-use, the next answer tells, and a refusal is taken at its word. A page under 400 or 401 is
// taken for one too: it speaks of what was sent.
func undecided(outcome hit.Outcome, answer *hit.Answer) bool {
	switch outcome.Kind {
	case "":
		return false
	case hit.KindThrottled, hit.KindTimeout, hit.KindRefused, hit.KindReset, hit.KindTLS, hit.KindMachine, hit.KindOther:
		return true
	case hit.KindShape:
		return page(answer)
	case hit.KindStatus:
		switch s := answer.Status; {
		case s >= 500, s >= 300 && s < 400:
			return true
		case s != http.StatusBadRequest && s != http.StatusUnauthorized && page(answer):
			return true
		case s == http.StatusRequestTimeout, s == http.StatusMisdirectedRequest, s == http.StatusTooEarly:
			return true
		}
	}
	return false
}

// refusal tells whether an answer that is not undecided turned the token down. A success of another status than the
// wanted one may have used it up.
func refusal(s step, answer *hit.Answer, outcome hit.Outcome) bool {
	return outcome.Kind == hit.KindStatus && (answer.Status >= http.StatusBadRequest ||
		answer.Status == calls[s].wanted)
}

// page tells that a page for people came in place of JSON, or the text of a router that knows no way to the service as
// while it is rolled out: it is somebody else's, whatever its status says.
func page(answer *hit.Answer) bool {
	body := bytes.TrimLeft(answer.Body, " \t\r\n")
	return bytes.HasPrefix(body, []byte("<")) || answer.Status == http.StatusNotFound &&
		len(body) > 0 && body[0] != '{'
}

// untouched tells whether the service did nothing with the request of an undecided answer: it asked to wait, or nobody
// was reached.
func untouched(outcome hit.Outcome, answer *hit.Answer) bool {
	return outcome.Kind == hit.KindThrottled || outcome.Kind == hit.KindRefused || outcome.Kind == hit.KindTLS &&
		!transport.AfterHandshake(answer.Err) || outcome.Kind == hit.KindMachine
}
