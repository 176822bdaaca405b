package mock

import (
	"net/http"
	"strings"

	"agstest/ags"
)

// oddChoices are choices of services about odd but legal input: each refuses some of it in its own way, or overlooks
// it.
func oddChoices() []Choice {
	var choices []Choice
	refusing := func(name, summary string, status int, operations []string, is oddness) {
		choices = append(choices, Choice{Name: name, Summary: summary,
			means: Fault{operations: operations, reply: func(c *call, r *reply) {
				if is(c) {
					*r = c.refuse(rulePath, status, 0, "the request is not understood")
				}
			}}})
	}
	others := []string{ags.SignOn, ags.SubsequentSignOn, ags.GetSessionToken, ags.Refresh, ags.SignOut, ags.Register,
		ags.SubsequentRegister}
	refusing("odd-headers-400", "headers that hold quotes, other scripts or very long texts are refused with 400",
		http.StatusBadRequest, nil, oddHeader)
	refusing("long-headers-431", "a header of more than 2000 characters is refused with 431",
		http.StatusRequestHeaderFieldsTooLarge, nil, longHeader)
	refusing("quotes-403", "a firewall refuses bodies and headers with quotes of SQL", http.StatusForbidden, nil,
		quotesOfSQL)
	refusing("long-values-413", "a body of more than 2000 bytes is refused with 413", http.StatusRequestEntityTooLarge,
		nil, func(c *call) bool { return len(c.raw) > 2000 })
	refusing("parameters-once", "a parameter that stands twice is refused with 400", http.StatusBadRequest, nil, twice)
	choices = append(choices, Choice{Name: "accept-needed", Summary: "a request without Accept is refused with 406",
		Transport: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header["Accept"] == nil {
					w.WriteHeader(http.StatusNotAcceptable)
					return
				}
				next.ServeHTTP(w, r)
			})
		}})
	refusing("strangers-refused-elsewhere", "unknown members are refused with 400 on all calls but signOnWithSessionToken",
		http.StatusBadRequest, others, inText("somethingElse"))
	refusing("charset-refused", "a Content-Type with a charset is refused with 415 at refresh",
		http.StatusUnsupportedMediaType, on(ags.Refresh),
		func(c *call) bool { return strings.Contains(c.header("Content-Type"), "charset") })
	overlooking := func(name, summary string, operations []string, is oddness) {
		choices = append(choices, Choice{Name: name, Summary: summary,
			means: Fault{operations: operations, reply: func(c *call, r *reply) {
				if r.refused != "" && is(c) {
					*r = c.pretend()
				}
			}}})
	}
	overlooking("scheme-free", "any scheme may stand before a token at refresh", on(ags.Refresh), tokenUnderDigest)
	overlooking("parameters-unread-at-refresh", "refresh does not read its parameters", on(ags.Refresh), parametersNoList)
	choices = append(choices, Choice{Name: "operator-refusals-of-a-filter",
		Summary: "a filter before getSessionToken refuses an OperatorAuthToken with 401 and JSON of its own",
		means: Fault{operations: on(ags.GetSessionToken), reply: func(c *call, r *reply) {
			if strings.HasPrefix(string(r.refused), "operator-") {
				refused := r.refused
				*r = jsonReply(http.StatusUnauthorized,
					object{{"error", "invalid_token"}, {"error_description", "the token is not usable"}})
				r.refused = refused
			}
		}}})
	choices = append(choices, Choice{Name: "strange-type-page-404",
		Summary: "a type of registration that is not offered is a page that nobody finds",
		means: Fault{operations: on(ags.Register), reply: func(c *call, r *reply) {
			if r.refused == ruleRegisterType {
				*r = emptyReply(http.StatusNotFound)
				r.refused, r.raw = ruleRegisterType, []byte("<!doctype html><title>404 Not Found</title><h1>Not Found</h1>")
				r.setHeader("Content-Type", "text/html")
			}
		}}})
	return choices
}

// oddHeader tells whether a header that names the tenant, the service or the request has an odd text.
func oddHeader(c *call) bool {
	for _, name := range []string{ags.HeaderCorrelation, ags.HeaderTenant, ags.HeaderService} {
		for _, odd := range []string{"quotes", "scripts", "long"} {
			if oddValue(odd)(c.header(name)) {
				return true
			}
		}
	}
	return false
}

func longHeader(c *call) bool {
	for _, values := range c.request.Header {
		if len(values[0]) > 2000 {
			return true
		}
	}
	return false
}

// quotesOfSQL tells whether a firewall would take a header or the body for an attack.
func quotesOfSQL(c *call) bool {
	for _, values := range c.request.Header {
		if oddValue("quotes")(values[0]) {
			return true
		}
	}
	return strings.Contains(string(c.raw), "' OR '")
}

// tokenUnderDigest tells whether a token of ours comes behind the scheme Digest.
func tokenUnderDigest(c *call) bool {
	token, digest := strings.CutPrefix(c.request.Header.Get(ags.HeaderAuthorization), "Digest ")
	return digest && likeOurs(token)
}

// parametersNoList tells whether parameters are no array, beside a token of ours.
func parametersNoList(c *call) bool {
	v, has := c.read()["parameters"]
	_, list := v.([]any)
	return has && !list && likeOurs(c.authorization())
}

// likeOurs tells whether a text has the form and about the length of a token of the mock.
func likeOurs(token string) bool { return strings.Count(token, ".") == 2 && len(token) > 200 }
