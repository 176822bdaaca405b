package mock

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"agstest/ags"
)

// outcome is the status, and the sub-code if there is one, that a refusal has in place of the usual one.
type outcome struct{ status, code int }

// pluginChoices are the choices of a service because it hosts a plug-in that was made for one customer: which 4xx a
// refusal has, how much of an OperatorAuthToken it checks, which claims tokens have, which other services of the
// platform there are.
func pluginChoices() []Choice {
	choices := append(refusalChoices(), oddChoices()...)
	ignoring := func(name, summary string, operations []string, rules ...rule) {
		choices = append(choices, Choice{Name: name, Summary: summary, means: Fault{operations: operations, rules: rules}})
	}
	ignoring("operator-audience-ignored", "aud of an OperatorAuthToken does not matter", on(ags.GetSessionToken),
		ruleOperatorAudience)
	ignoring("operator-type-ignored", "typ of an OperatorAuthToken does not matter", on(ags.GetSessionToken),
		ruleOperatorType)
	ignoring("operator-claims-ignored", "neither aud nor typ of an OperatorAuthToken matters", on(ags.GetSessionToken),
		ruleOperatorAudience, ruleOperatorType)
	ignoring("operator-key-ignored", "kid of an OperatorAuthToken does not matter", on(ags.GetSessionToken),
		ruleOperatorKey)
	choices = append(choices, Choice{Name: "same-session-token",
		Summary: "getSessionToken gives the same session token while it is good",
		Apply:   func(c *Behaviour) { c.SessionTokensReusable = true },
		means:   Fault{operations: on(ags.GetSessionToken), rules: []rule{ruleDifferentSessions}}})
	ignoring("account-dates-ignored", "an account may sign on before its start date and after its end date", nil,
		ruleAccountDates)
	ignoring("same-user-token", "an account has the same userAccountToken in each list", on(ags.SignOn, ags.Register),
		ruleDifferentPicks)
	ignoring("fixed-end-moves", "fixed_exp moves at each refresh", on(ags.Refresh), ruleExtendFixed)
	ignoring("sign-out-unregisters", "signing out removes the device from the account", on(ags.SignOut), ruleKeepDevice)
	ignoring("tenant-of-the-token",
		"calls that are shown tokens of their own, or give none out, do not mind a tenant that nobody knows",
		on(ags.Refresh, ags.SignOut, ags.Register, ags.SubsequentRegister), ruleTenant)
	ignoring("refresh-any-service", "refresh does not look at x-auth-service-id, since its token says enough",
		on(ags.Refresh), ruleServiceHeader, ruleKnownService)
	ignoring("sign-out-without-service", "signOut does not need x-auth-service-id", on(ags.SignOut), ruleServiceHeader)

	replying := func(name, summary string, operations []string, change func(*call, *reply)) {
		choices = append(choices, Choice{Name: name, Summary: summary, means: Fault{operations: operations, reply: change}})
	}
	replying("sign-out-body-ignored", "the body of signOut is not read", on(ags.SignOut), func(c *call, r *reply) {
		if r.refused == ruleJSON && c.authorization() != "" {
			*r = emptyReply(http.StatusOK)
			if _, refused := c.server.verify(c, c.authorization(), ags.AccessType, http.StatusUnauthorized); refused != nil {
				*r = *refused
			}
		}
	})
	choices = append(choices, Choice{Name: "numbers-with-fraction",
		Summary: "whole numbers are written with a fraction of zero or with an exponent", means: Fault{
			reply: func(_ *call, r *reply) { writtenLong(r.body) },
			draft: func(_ *call, d *draft) { writtenLong(d.claims) }}})
	replying("refresh-token-kept", "refresh gives the refresh token back that it was given", on(ags.Refresh),
		func(c *call, r *reply) {
			if r.refused == "" {
				giveSameRefresh(c, r)
			}
		})
	replying("odd-media-500", "a body in another media type makes the service stumble", nil, func(_ *call, r *reply) {
		if r.refused == ruleContentType {
			r.status = http.StatusInternalServerError
		}
	})
	choices = append(choices, listChoices()...)
	for _, absent := range []struct{ name, what, prefix string }{
		{"no-companion-service", "the calls of companion apps do not exist", "/dsra/"},
		{"no-identity-service", "the calls of the identity service do not exist", "/ias/"},
		{"no-device-service", "the calls of the device service do not exist", "/adm/"},
	} {
		replying(absent.name, absent.what, nil, func(c *call, r *reply) {
			if strings.HasPrefix(c.request.URL.Path, absent.prefix) {
				*r = emptyReply(http.StatusNotFound)
			}
		})
	}
	replying("one-service-has-the-secret", "the operator's secret is good for the first service alone",
		on(ags.GetSessionToken), func(c *call, r *reply) {
			if r.status == http.StatusOK && c.service != nil && c.service != &c.tenant.services[0] {
				*r = c.refuse(ruleOperatorSignature, http.StatusUnauthorized, 0, "the OperatorAuthToken is signed with another key")
			}
		})
	replying("session-tokens-of-one-service", "session tokens are good for the first service alone",
		on(ags.SignOnWithSessionToken), func(c *call, r *reply) {
			if r.pair != nil && c.service != nil && c.service != &c.tenant.services[0] {
				*r = c.refuse(ruleSessionTenant, cmp.Or(c.set.behaviour.UnknownSession, http.StatusForbidden), 0,
					"the session token is for another service")
			}
		})
	choices = append(choices, discoveryChoices(atDiscovery)...)
	return append(choices, tokenChoices()...)
}

// deviceOfUser is the device that signOn names, if it is of one of the accounts of the user; else nil.
func (c *call) deviceOfUser() *device {
	id, _ := c.body["clientId"].(string)
	c.server.state.mutex.Lock()
	defer c.server.state.mutex.Unlock()
	d := c.server.state.device(c.tenant, id)
	if d == nil || !slices.Contains(c.tenant.users[c.parameter("username")].accounts, d.account) {
		return nil
	}
	return d
}

// listChoices are choices about the list of accounts that a user picks from.
func listChoices() []Choice {
	var choices []Choice
	replying := func(name, summary string, operations []string, change func(*call, *reply)) {
		choices = append(choices, Choice{Name: name, Summary: summary, means: Fault{operations: operations, reply: change}})
	}
	replying("user-token-nested", "the userAccountToken stands in an object of each account", on(ags.SignOn, ags.Register),
		func(_ *call, r *reply) {
			eachAccount(r, func(a *object) {
				if token, told := a.get("userAccountToken"); told {
					a.remove("userAccountToken")
					*a = append(*a, member{"credentials", object{{"userAccountToken", token}}})
				}
			})
		})
	replying("user-token-in-header", "one User-Token for all accounts comes in a header", on(ags.SignOn, ags.Register),
		func(_ *call, r *reply) {
			first := true
			eachAccount(r, func(a *object) {
				if token, told := a.get("userAccountToken"); told {
					a.remove("userAccountToken")
					if first {
						r.setHeader("User-Token", token.(string))
					}
					first = false
				}
			})
		})
	replying("no-user-token", "a list of accounts offers no userAccountToken", on(ags.SignOn, ags.Register),
		func(_ *call, r *reply) {
			eachAccount(r, func(a *object) { a.remove("userAccountToken") })
		})
	replying("pick-wants-no-client-id", "subsequentSignOn refuses a clientId with 400", on(ags.SubsequentSignOn),
		func(c *call, r *reply) {
			if _, told := c.read()["clientId"]; told {
				*r = c.refuse(ruleDeviceArgument, http.StatusBadRequest, 0, "the device is that of the sign-on")
			}
		})
	replying("list-minds-device", "signOn of a user with several accounts refuses a device of none of them",
		on(ags.SignOn), func(c *call, r *reply) {
			if r.status == http.StatusMultipleChoices && c.nthTime() && c.deviceOfUser() == nil {
				*r = c.refuse(ruleClientOwner, http.StatusForbidden, 0, "the device does not belong to an account of the user")
			}
		})
	replying("known-device-picks-itself",
		"signOn of a user with several accounts signs a known device on to its own account", on(ags.SignOn),
		func(c *call, r *reply) {
			if r.status != http.StatusMultipleChoices {
				return
			}
			d := c.deviceOfUser()
			if d == nil {
				return
			}
			if g, refused := c.server.signOnAccount(c, d.account, deviceArgument{clientID: d.id}); refused != nil {
				*r = *refused
			} else {
				*r = c.server.tokens(c, http.StatusCreated, g)
			}
		})
	return choices
}

func atDiscovery(name, summary string, change func(*call, *reply)) Choice {
	return Choice{Name: name, Summary: summary, means: Fault{operations: on(ags.ServiceDiscovery), reply: change}}
}

// refusalChoices give refusals other statuses.
func refusalChoices() []Choice {
	var choices []Choice
	for _, kind := range []struct {
		name, what string // followed by the status
		operations []string
		rules      []rule
		statuses   []int
	}{
		{"no-service", "a missing x-auth-service-id", nil, []rule{ruleServiceHeader}, []int{403, 404, 409, 422}},
		{"strange-service", "an unknown x-auth-service-id", on(ags.SignOn, ags.SubsequentSignOn, ags.GetSessionToken, ags.SignOnWithSessionToken, ags.Refresh, ags.SignOut, ags.Register, ags.SubsequentRegister), []rule{ruleKnownService}, []int{401, 404, 422}},
		{"no-parameters", "a body without parameters", nil, []rule{ruleParametersPresent}, []int{401, 403, 404, 422}},
		{"odd-parameters", "parameters that are no array", nil, []rule{ruleParametersArray}, []int{401, 403, 404, 422}},
		{"half-parameter", "a parameter without name or value", nil, []rule{ruleParameterMembers}, []int{401, 403, 404, 422}},
		{"empty-parameters", "an empty list of parameters", nil, []rule{ruleParametersNotEmpty, ruleMandatoryParameters}, []int{401, 403, 404, 422}},
		{"no-device", "neither clientId nor deviceInformation", nil, []rule{ruleDeviceArgument}, []int{401, 403, 404, 422}},
		{"strange-client", "an unknown clientId", nil, []rule{ruleKnownClient}, []int{400, 401, 422}},
		{"foreign-client", "a clientId of another account", nil, []rule{ruleClientOwner}, []int{400, 401, 422}},
		{"wrong-password", "wrong credentials", nil, []rule{ruleCredentials}, []int{400, 403, 404, 422}},
		{"no-user-token-sent", "a missing User-Token", nil, []rule{ruleUserTokenPresent}, []int{403, 404, 422}},
		{"strange-user-token", "an unknown User-Token", nil, []rule{ruleUserTokenKnown}, []int{400, 404, 422}},
		{"operator-refusals", "an OperatorAuthToken that is not in order", nil, []rule{ruleOperatorForm, ruleOperatorAlgorithm, ruleOperatorSignature, ruleOperatorExpiry,
			ruleOperatorAudience, ruleOperatorType, ruleOperatorAccount, ruleOperatorTenant}, []int{400, 404, 422}},
		{"strange-account", "an OpfAccountId that nobody has", on(ags.GetSessionToken), []rule{ruleOperatorAccount}, []int{404, 409}},
		{"strange-type", "a type of registration that is not offered", on(ags.Register), []rule{ruleRegisterType}, []int{404, 409, 415, 422}},
		{"no-token", "a missing Authorization", nil, []rule{ruleAuthorization}, []int{400, 403, 404}},
		{"strange-token", "a token in Authorization that nobody issued", nil, []rule{ruleToken}, []int{404, 422}},
		{"spoiled-token", "a token in Authorization that was tampered with", nil, []rule{ruleTokenSignature, ruleTokenType}, []int{400, 401, 404}},
		{"strange-session", "a session token that nobody issued", nil, []rule{ruleKnownSession}, []int{422}},
	} {
		for _, status := range kind.statuses {
			h := Choice{Name: kind.name + "-" + strconv.Itoa(status),
				Summary: kind.what + " is refused with " + strconv.Itoa(status), outcomes: map[ruleKey]outcome{}}
			for _, r := range kind.rules {
				h.outcomes[ruleKey{r, ""}] = outcome{status: status}
				if kind.operations != nil {
					delete(h.outcomes, ruleKey{r, ""})
				}
				for _, operation := range kind.operations {
					h.outcomes[ruleKey{r, operation}] = outcome{status: status}
				}
			}
			choices = append(choices, h)
		}
	}
	return append(choices, Choice{Name: "strange-client-20005",
		Summary:  "an unknown clientId is refused with 403 and sub-code 20005",
		outcomes: map[ruleKey]outcome{{ruleKnownClient, ""}: {http.StatusForbidden, 20005}}})
}

func discoveryChoices(replying func(name, summary string, change func(*call, *reply)) Choice) []Choice {
	endpoint := func(name, summary string, change func(*object)) Choice {
		return replying(name, summary, func(_ *call, r *reply) { eachEndpoint(r, change) })
	}
	return []Choice{
		endpoint("relative-paths", "discovery tells paths without a slash in front", func(e *object) {
			if path, told := e.get("path"); told {
				e.set("path", strings.TrimPrefix(path.(string), "/"))
			}
		}),
		endpoint("nameless-endpoints", "discovery tells no names of endpoints", func(e *object) { e.remove("name") }),
		endpoint("no-parameter-properties", "discovery tells nothing of parameters",
			func(e *object) { e.remove("parameterProperties") }),
		endpoint("is-password-only-when-true", "discovery leaves isPassword out where it is false", func(e *object) {
			list, _ := e.get("parameterProperties")
			parameters, _ := list.([]any)
			for i := range parameters {
				p := parameters[i].(object)
				if is, _ := p.get("isPassword"); is == false {
					p.remove("isPassword")
					parameters[i] = p
				}
			}
		}),
		replying("listed-path-template", "discovery lists a path with a variable part", func(_ *call, r *reply) {
			eachService(r, listing("REGISTER", "/register/{type}"))
		}),
		replying("parameters-about-passwords", "discovery lists parameters about a password that are none",
			func(_ *call, r *reply) {
				eachEndpoint(r, func(e *object) {
					value, _ := e.get("parameterProperties")
					if list, _ := value.([]any); len(list) > 0 {
						for _, name := range []string{"passwordHint", "pinned", "rememberPassword"} {
							list = append(list[:len(list):len(list)], object{{"name", name}, {"mandatory", false}, {"isPassword", false}})
						}
						e.set("parameterProperties", list)
					}
				})
			}),
		replying("no-endpoints", "discovery tells names of services only", func(_ *call, r *reply) {
			eachService(r, func(s *object) { s.remove("endpoints") })
		}),
	}
}

// tokenChoices are claims and times that samples of other pages and releases have.
func tokenChoices() []Choice {
	drafting := func(name, summary string, change func(*call, *draft)) Choice {
		return Choice{Name: name, Summary: summary, means: Fault{draft: change}}
	}
	control := func(name, summary string, change func(*object)) Choice {
		return drafting(name, summary, func(_ *call, d *draft) {
			if value, told := d.claims.get("sessionControl"); told {
				changed := append(object{}, value.(object)...)
				change(&changed)
				d.claims.set("sessionControl", changed)
			}
		})
	}
	var calls atomic.Uint64
	return []Choice{
		{Name: "token-holds-user-name", Summary: "the access token of a sign-on with credentials holds the name of the user",
			means: Fault{operations: on(ags.SignOn), draft: func(c *call, d *draft) {
				if name := c.parameter("username"); name != "" && !d.refresh {
					d.claims.set("login", name)
				}
			}}},
		drafting("fixed-end-in-refresh-token-alone", "the access token has no fixed_exp", func(_ *call, d *draft) {
			if !d.refresh {
				d.claims.remove("fixed_exp")
			}
		}),
		drafting("jose-typ-lower-case", "typ in the header of tokens is jwt",
			func(_ *call, d *draft) { d.header.set("typ", "jwt") }),
		drafting("short-access-token", "the access token has the claims of the oldest sample alone", func(_ *call, d *draft) {
			if !d.refresh {
				for _, name := range []string{"fixed_exp", "accountProfileId", "sessionControl", "onNetwork", "billingCountryCode",
					"filteringInformation", "blockingInformation",
					"parentalControl", "playoutDeviceClass"} {
					d.claims.remove(name)
				}
			}
		}),
		control("sessions-unlimited-null", "maxSessions is null", func(o *object) { o.set("maxSessions", nil) }),
		control("sessions-unlimited-absent", "maxSessions is left out", func(o *object) { o.remove("maxSessions") }),
		control("sessions-unlimited-minus-one", "maxSessions is -1", func(o *object) { o.set("maxSessions", -1) }),
		drafting("session-control-null", "sessionControl is null", func(_ *call, d *draft) {
			if _, told := d.claims.get("sessionControl"); told {
				d.claims.set("sessionControl", nil)
			}
		}),
		drafting("no-session-control", "tokens have no sessionControl",
			func(_ *call, d *draft) { d.claims.remove("sessionControl") }),
		drafting("geo-exempt", "the account is exempt from geo-blocking, and its tokens say so", func(_ *call, d *draft) {
			if _, told := d.claims.get("geoBlockExempt"); told {
				d.claims.set("geoBlockExempt", true)
			}
		}).ignoring(ruleLocation),
		{Name: "refresh-token-lives-as-long-as-the-session", Summary: "refresh tokens live as long as the session", Apply: func(c *Behaviour) {
			c.Lifetimes = Lifetimes{time.Hour, 30 * 24 * time.Hour, 30 * 24 * time.Hour}
		}},
		{Name: "any-device-description", Summary: "deviceInformation of any kind makes a device", Apply: func(c *Behaviour) { c.AnyDescription = true }},
		{Name: "empty-device-registered", Summary: "a sign-on that names no device makes one", Apply: func(c *Behaviour) { c.NoDeviceMakesOne = true }},
		{Name: "cancelled-for-good", Summary: "a cancelled account cannot come back", Apply: func(c *Behaviour) { c.CancelledForGood = true }},
		{Name: "two-clocks", Summary: "two nodes answer by turns, and their clocks are 100 s apart", Apply: func(c *Behaviour) {
			c.NodeOffset = func() time.Duration { return time.Duration(calls.Add(1)%2) * 100 * time.Second }
		}},
		{Name: "two-clocks-seconds", Summary: "two nodes answer by turns, and their clocks are 7 s apart", Apply: func(c *Behaviour) {
			c.NodeOffset = func() time.Duration { return time.Duration(calls.Add(1)%2) * 7 * time.Second }
		}},
	}
}

// ignoring makes a choice overlook a rule as well.
func (h Choice) ignoring(rules ...rule) Choice {
	h.means.rules = append(h.means.rules, rules...)
	return h
}

func eachService(r *reply, change func(*object)) {
	list, _ := r.body.get("availableServices")
	services, _ := list.([]any)
	for i := range services {
		s := services[i].(object)
		change(&s)
		services[i] = s
	}
}

func eachEndpoint(r *reply, change func(*object)) {
	eachService(r, func(s *object) {
		list, _ := s.get("endpoints")
		endpoints, _ := list.([]any)
		for i := range endpoints {
			e := endpoints[i].(object)
			change(&e)
			endpoints[i] = e
		}
	})
}

// writtenLong gives the whole numbers of an object other forms of the same numbers (RFC 8259 section 6), all the way
// down.
func writtenLong(o object) {
	for i := range o {
		n, whole := o[i].value.(int64)
		if short, is := o[i].value.(int); is {
			n, whole = int64(short), true
		}
		switch {
		case whole && n%100 == 0 && n != 0:
			o[i].value = literal(strconv.FormatInt(n/100, 10) + ".00e2")
		case whole:
			o[i].value = literal(strconv.FormatInt(n, 10) + ".0")
		}
		if inner, is := o[i].value.(object); is {
			writtenLong(inner)
		}
	}
}

func eachAccount(r *reply, change func(*object)) {
	list, _ := r.body.get("accounts")
	accounts, _ := list.([]any)
	for i := range accounts {
		a := accounts[i].(object)
		change(&a)
		accounts[i] = a
	}
}
