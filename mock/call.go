package mock

import (
	"bytes"
	"cmp"
	"maps"
	"net/http"
	"net/textproto"
	"strings"

	"agstest/ags"
)

// call is one request on its way through the mock.
type call struct {
	server    *Server
	set       *setting
	operation string
	request   *http.Request
	tenant    *tenant
	service   *Service
	endpoint  string // below /ags, as discovery tells it
	body      map[string]any
	raw       []byte
	// parameters by name, folded to lower case unless the choice says otherwise.
	parameters map[string]string
}

type route struct {
	operation string
	method    string
	answer    func(*Server, *call) reply
}

var routes = map[string]route{
	"/ags/servicediscovery": {ags.ServiceDiscovery, "GET", (*Server).serviceDiscovery},
	"/ags/signOn":           {ags.SignOn, "POST", (*Server).signOn},
	"/ags/subsequentSignOn": {ags.SubsequentSignOn, "POST",
		(*Server).subsequentSignOn},
	"/ags/getSessionToken": {ags.GetSessionToken, "POST", (*Server).getSessionToken},
	"/ags/signOnWithSessionToken": {ags.SignOnWithSessionToken, "POST",
		(*Server).signOnWithSessionToken},
	"/ags/refresh": {ags.Refresh, "POST", (*Server).refresh},
	"/ags/signOut": {ags.SignOut, "POST", (*Server).signOut},
	"/ags/subsequentRegister": {ags.SubsequentRegister, "POST",
		(*Server).subsequentRegister},
	"/adm/v1/user/devices":                                {userDevices, "GET", (*Server).userDevices},
	"/adm/v1/user/devices/amiapproved":                    {deviceApproved, "GET", (*Server).deviceApproved},
	"/ias/v3/token/actions/refresh":                       {iasRefresh, "POST", (*Server).iasRefresh},
	"/ias/v3/token/actions/signOnBySignOnActivationToken": {activationSignOn, "POST", (*Server).activationSignOn},
	"/dsra/v1/user/deviceRegistrationCode":                {registrationCode, "GET", (*Server).registrationCode},
	"/dsra/v1/user/signOnActivationToken":                 {activationToken, "PUT", (*Server).activationToken},
	"/dsra/v1/user/deviceRegistrationCode/actions/approve": {approveRegistration, "PUT",
		(*Server).approveRegistration},
	"/adm/v1/devices": {operatorDevices, "DELETE", (*Server).operatorClearsDevices},
	"/keycloak/auth/realms/nagra/protocol/openid-connect/token": {operatorToken, "POST", (*Server).operatorToken},
}

const registerPath = "/ags/register/"

func (s *Server) serve(set *setting, w http.ResponseWriter, r *http.Request) {
	c := &call{server: s, set: set, request: r}
	found, known := routes[r.URL.Path]
	if kind, isRegister := strings.CutPrefix(r.URL.Path, registerPath); !known && isRegister && kind != "" &&
		!strings.Contains(kind, "/") {
		found, known = route{ags.Register, "POST", (*Server).register}, true
	}
	if !known {
		found, known = operatorRoute(r)
	}
	c.operation = found.operation
	c.endpoint = strings.TrimPrefix(r.URL.Path, "/ags")
	var answer reply
	switch {
	case !known:
		answer = c.refuse(rulePath, http.StatusNotFound, 0, "there is no such call")
	case r.Method != found.method && c.enforces(ruleMethod):
		answer = c.refuse(ruleMethod, cmp.Or(set.behaviour.WrongMethod, http.StatusMethodNotAllowed), 0,
			"the call wants the method "+found.method)
		answer.setHeader("Allow", found.method)
	default:
		raw, err := readBody(r)
		c.raw = raw
		if err != nil {
			answer = c.refuse(ruleJSON, http.StatusBadRequest, 0, "the body "+err.Error())
		} else {
			answer = found.answer(s, c)
		}
	}
	if !ofOperator(c.operation) { // the service has the faults and choices
		for _, change := range set.replies {
			change(c, &answer)
		}
	}
	answer.write(c, w)
}

// enforces tells whether no fault has switched the rule off for this operation.
func (c *call) enforces(r rule) bool {
	return len(c.set.off) == 0 || !c.set.off[ruleKey{r, ""}] && !c.set.off[ruleKey{r, c.operation}]
}

// header is the first value of a request header; HTTP matches its name in any case (RFC 9110 section 5.1).
func (c *call) header(name string) string {
	if values := c.request.Header[textproto.CanonicalMIMEHeaderKey(name)]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// findTenant says whose call it is. A missing header means the first tenant, unless the choice is another.
func (c *call) findTenant() *reply {
	id := c.header(ags.HeaderTenant)
	if id == "" && c.set.behaviour.OldTenantHeader {
		id = c.header("tenantId")
	}
	if id == "" {
		if c.set.behaviour.TenantRequired {
			return c.refusal(ruleTenant, http.StatusBadRequest, 0, "the header nv-tenant-id is missing")
		}
		id = firstTenant
	}
	c.server.state.mutex.Lock()
	t := c.server.state.tenants[c.taken(nearTenant, id, maps.Keys(c.server.state.tenants))]
	if t == nil && !c.enforces(ruleTenant) {
		t = c.server.state.tenants[firstTenant]
	}
	c.server.state.mutex.Unlock()
	if t == nil {
		status := http.StatusBadRequest
		if c.operation == ags.ServiceDiscovery {
			status = http.StatusNotFound
			if c.set.behaviour.UnknownTenantEmpty {
				return c.refusal(ruleTenant, status, 0, noService)
			}
		}
		return c.refusal(ruleTenant, cmp.Or(c.set.behaviour.UnknownTenant, status), 0, "the tenant is not known")
	}
	c.tenant = t
	return nil
}

// open does what all POST calls of the service begin with: service, tenant, content type, JSON, parameters.
func (c *call) open(bodyOptional bool) *reply {
	if refused := c.findTenant(); refused != nil {
		return refused
	}
	name := c.header(ags.HeaderService)
	if name == "" {
		if c.enforces(ruleServiceHeader) {
			return c.refusal(ruleServiceHeader, cmp.Or(c.set.behaviour.MissingService, http.StatusBadRequest), 0,
				"the header x-auth-service-id is missing")
		}
		name = c.tenant.firstService()
	}
	name = c.taken(nearService, name, c.tenant.serviceNames())
	for i := range c.tenant.services {
		if c.tenant.services[i].Name == name {
			c.service = &c.tenant.services[i]
		}
	}
	if c.service == nil {
		if c.enforces(ruleKnownService) || len(c.tenant.services) == 0 {
			return c.refusal(ruleKnownService, cmp.Or(c.set.behaviour.UnknownService, http.StatusBadRequest), 0,
				"the authentication service is not known")
		}
		c.service = &c.tenant.services[0]
	}
	if len(bytes.TrimSpace(c.raw)) == 0 && bodyOptional && !c.set.behaviour.ParametersRequired {
		return nil
	}
	if refused := c.checkContentType(); refused != nil {
		return refused
	}
	if refused := c.parse(); refused != nil {
		return refused
	}
	return c.readParameters(bodyOptional)
}

func (t *tenant) firstService() string {
	if len(t.services) == 0 {
		return ""
	}
	return t.services[0].Name
}
