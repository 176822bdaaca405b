package mock

import (
	"net/http"
	"strings"

	"agstest/ags"
)

// oddChoices are what services may do with odd but legal input: each refuses some of it in its own way, or overlooks it.
func oddChoices() []Choice {
	var choices []Choice
	refusing := func(name, summary string, status int, operations []string, is oddness) {
		choices = append(choices, Choice{Name: name, Summary: summary, means: Fault{operations: operations, reply: func(c *call, r *reply) {
			if is(c) {
				*r = c.refuse(rulePath, status, 0, "the request is not understood")
			}
		}}})
	}
	oneOf := func(values ...string) func(any) bool {
		return func(v any) bool {
			for _, name := range values {
				if oddValue(name)(v) {
					return true
				}
			}
			return false
		}
	}
	others := []string{ags.SignOn, ags.SubsequentSignOn, ags.GetSessionToken, ags.Refresh, ags.SignOut, ags.Register, ags.SubsequentRegister}
	refusing("odd-headers-400", "headers that hold quotes, other scripts or very long texts are refused with 400", http.StatusBadRequest, nil, func(c *call) bool {
		for _, name := range []string{ags.HeaderCorrelation, ags.HeaderTenant, ags.HeaderService} {
			if oneOf("quotes", "scripts", "long")(c.header(name)) {
				return true
			}
		}
		return false
	})
	refusing("long-headers-431", "a header of more than 2000 characters is refused with 431", http.StatusRequestHeaderFieldsTooLarge, nil, func(c *call) bool {
		for _, values := range c.request.Header {
			if len(values[0]) > 2000 {
				return true
			}
		}
		return false
	})
	refusing("quotes-403", "a firewall refuses bodies and headers with quotes of SQL", http.StatusForbidden, nil, func(c *call) bool {
		for _, values := range c.request.Header {
			if oneOf("quotes")(values[0]) {
				return true
			}
		}
		return strings.Contains(string(c.raw), "' OR '")
	})
	refusing("long-values-413", "a body of more than 2000 bytes is refused with 413", http.StatusRequestEntityTooLarge, nil, func(c *call) bool { return len(c.raw) > 2000 })
	refusing("parameters-once", "a parameter that stands twice is refused with 400", http.StatusBadRequest, nil, twice)
	choices = append(choices, Choice{Name: "accept-needed", Summary: "a request without Accept is refused with 406", Transport: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header["Accept"] == nil {
				w.WriteHeader(http.StatusNotAcceptable)
				return
			}
			next.ServeHTTP(w, r)
		})
	}})
	refusing("strangers-refused-elsewhere", "unknown members are refused with 400 on all calls but signOnWithSessionToken", http.StatusBadRequest, others, inText("somethingElse"))
	refusing("charset-refused", "a Content-Type with a charset is refused with 415 at refresh", http.StatusUnsupportedMediaType, on(ags.Refresh),
		func(c *call) bool { return strings.Contains(c.header("Content-Type"), "charset") })
	overlooking := func(name, summary string, operations []string, is oddness) {
		choices = append(choices, Choice{Name: name, Summary: summary, means: Fault{operations: operations, reply: func(c *call, r *reply) {
			if r.refused != "" && is(c) {
				*r = c.pretend()
			}
		}}})
	}
	overlooking("scheme-free", "any scheme may stand before a token at refresh", on(ags.Refresh), func(c *call) bool {
		_, token, _ := strings.Cut(c.request.Header.Get(ags.HeaderAuthorization), " ")
		return !strings.HasPrefix(c.request.Header.Get(ags.HeaderAuthorization), "Basic ") && strings.Count(token, ".") == 2 && len(token) > 200 && strings.HasPrefix(c.request.Header.Get(ags.HeaderAuthorization), "Digest ")
	})
	overlooking("parameters-unread-at-refresh", "refresh does not read its parameters", on(ags.Refresh), func(c *call) bool {
		v, has := c.read()["parameters"]
		_, list := v.([]any)
		return has && !list && c.authorization() != "" && strings.Count(c.authorization(), ".") == 2 && len(c.authorization()) > 200
	})
	choices = append(choices, Choice{Name: "operator-refusals-of-a-filter", Summary: "a filter before getSessionToken refuses an OperatorAuthToken with 401 and JSON of its own",
		means: Fault{operations: on(ags.GetSessionToken), reply: func(c *call, r *reply) {
			if strings.HasPrefix(string(r.refused), "operator-") {
				refused := r.refused
				*r = jsonReply(http.StatusUnauthorized, object{{"error", "invalid_token"}, {"error_description", "the token is not usable"}})
				r.refused = refused
			}
		}}})
	choices = append(choices, Choice{Name: "strange-type-page-404", Summary: "a type of registration that is not offered is a page that nobody finds", means: Fault{operations: on(ags.Register), reply: func(c *call, r *reply) {
		if r.refused == ruleRegisterType {
			*r = emptyReply(http.StatusNotFound)
			r.refused, r.raw = ruleRegisterType, []byte("<!doctype html><title>404 Not Found</title><h1>Not Found</h1>")
			r.setHeader("Content-Type", "text/html")
		}
	}}})
	return choices
}
