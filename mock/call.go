package mock

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/textproto"
	"strings"
	"unicode/utf8"

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

// maxBody bounds what is read of a request.
const maxBody = 1 << 20

type route struct {
	operation string
	method    string
	answer    func(*Server, *call) reply
}

var routes = map[string]route{
	"/ags/servicediscovery":                                {ags.ServiceDiscovery, "GET", (*Server).serviceDiscovery},
	"/ags/signOn":                                          {ags.SignOn, "POST", (*Server).signOn},
	"/ags/subsequentSignOn":                                {ags.SubsequentSignOn, "POST", (*Server).subsequentSignOn},
	"/ags/getSessionToken":                                 {ags.GetSessionToken, "POST", (*Server).getSessionToken},
	"/ags/signOnWithSessionToken":                          {ags.SignOnWithSessionToken, "POST", (*Server).signOnWithSessionToken},
	"/ags/refresh":                                         {ags.Refresh, "POST", (*Server).refresh},
	"/ags/signOut":                                         {ags.SignOut, "POST", (*Server).signOut},
	"/ags/subsequentRegister":                              {ags.SubsequentRegister, "POST", (*Server).subsequentRegister},
	"/adm/v1/user/devices":                                 {userDevices, "GET", (*Server).userDevices},
	"/adm/v1/user/devices/amiapproved":                     {deviceApproved, "GET", (*Server).deviceApproved},
	"/ias/v3/token/actions/refresh":                        {iasRefresh, "POST", (*Server).iasRefresh},
	"/ias/v3/token/actions/signOnBySignOnActivationToken":  {activationSignOn, "POST", (*Server).activationSignOn},
	"/dsra/v1/user/deviceRegistrationCode":                 {registrationCode, "GET", (*Server).registrationCode},
	"/dsra/v1/user/signOnActivationToken":                  {activationToken, "PUT", (*Server).activationToken},
	"/dsra/v1/user/deviceRegistrationCode/actions/approve": {approveRegistration, "PUT", (*Server).approveRegistration},
}

const registerPath = "/ags/register/"

func (s *Server) serve(set *setting, w http.ResponseWriter, r *http.Request) {
	c := &call{server: s, set: set, request: r}
	found, known := routes[r.URL.Path]
	if kind, isRegister := strings.CutPrefix(r.URL.Path, registerPath); !known && isRegister && kind != "" && !strings.Contains(kind, "/") {
		found, known = route{ags.Register, "POST", (*Server).register}, true
	}
	c.operation = found.operation
	c.endpoint = strings.TrimPrefix(r.URL.Path, "/ags")
	var answer reply
	switch {
	case !known:
		answer = c.refuse(rulePath, http.StatusNotFound, 0, "there is no such call")
	case r.Method != found.method && c.enforces(ruleMethod):
		answer = c.refuse(ruleMethod, orElse(set.choices.WrongMethod, http.StatusMethodNotAllowed), 0, "the call wants the method "+found.method)
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
	for _, change := range set.replies {
		change(c, &answer)
	}
	answer.write(c, w)
}

type bodyError string

func (e bodyError) Error() string { return string(e) }

func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	var buffer bytes.Buffer
	if r.ContentLength > 0 && r.ContentLength <= maxBody {
		buffer.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	n, err := buffer.ReadFrom(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, bodyError("could not be read")
	case n > maxBody:
		return nil, bodyError("is longer than 1 MiB")
	}
	return buffer.Bytes(), nil
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
	if id == "" && c.set.choices.OldTenantHeader {
		id = c.header("tenantId")
	}
	if id == "" {
		if c.set.choices.TenantRequired {
			return c.refusal(ruleTenant, http.StatusBadRequest, 0, "the header nv-tenant-id is missing")
		}
		id = firstTenant
	}
	c.server.state.mutex.Lock()
	t := c.server.state.tenants[id]
	c.server.state.mutex.Unlock()
	if t == nil {
		status := http.StatusBadRequest
		if c.operation == ags.ServiceDiscovery {
			status = http.StatusNotFound
		}
		return c.refusal(ruleTenant, orElse(c.set.choices.UnknownTenant, status), 0, "the tenant is not known")
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
			return c.refusal(ruleServiceHeader, orElse(c.set.choices.MissingService, http.StatusBadRequest), 0, "the header x-auth-service-id is missing")
		}
		name = c.tenant.firstService()
	}
	for i := range c.tenant.services {
		if c.tenant.services[i].Name == name {
			c.service = &c.tenant.services[i]
		}
	}
	if c.service == nil {
		if c.enforces(ruleKnownService) || len(c.tenant.services) == 0 {
			return c.refusal(ruleKnownService, orElse(c.set.choices.UnknownService, http.StatusBadRequest), 0, "the authentication service is not known")
		}
		c.service = &c.tenant.services[0]
	}
	if len(bytes.TrimSpace(c.raw)) == 0 && bodyOptional && !c.set.choices.ParametersRequired {
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

func (c *call) checkContentType() *reply {
	kind := c.header("Content-Type")
	if kind == "application/json" || c.set.choices.ContentType == "any" {
		return nil
	}
	media, parameters, err := mime.ParseMediaType(kind)
	if err == nil && media == "application/json" && (parameters["charset"] == "" || strings.EqualFold(parameters["charset"], "utf-8")) {
		return nil
	}
	status := http.StatusBadRequest
	if c.set.choices.ContentType == "415" {
		status = http.StatusUnsupportedMediaType
	}
	return c.refusal(ruleContentType, status, 0, "the content type must be application/json")
}

func (c *call) parse() *reply {
	bad := func(why string) *reply { return c.refusal(ruleJSON, http.StatusBadRequest, 0, "the body "+why) }
	if !utf8.Valid(c.raw) {
		return bad("is not UTF-8")
	}
	if nesting(c.raw) > maxNesting {
		return bad("is nested too deeply")
	}
	var value any
	// Unmarshal refuses what follows the value; into an any it keeps the case of names.
	if err := json.Unmarshal(c.raw, &value); err != nil {
		return bad("is not JSON")
	}
	object, isObject := value.(map[string]any)
	if !isObject {
		return bad("is not a JSON object")
	}
	c.body = object
	return nil
}

const maxNesting = 64

// nesting is the depth of brackets outside of strings, never less than that of the value.
func nesting(raw []byte) int {
	depth, deepest, quoted := 0, 0, false
	for i := 0; i < len(raw); i++ {
		switch b := raw[i]; {
		case quoted && b == '\\':
			i++
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '{' || b == '[':
			if depth++; depth > deepest {
				deepest = depth
			}
		case b == '}' || b == ']':
			depth--
		}
	}
	return deepest
}

func (c *call) readParameters(optional bool) *reply {
	bad := func(r rule, why string) *reply { return c.refusal(r, http.StatusBadRequest, 0, why) }
	given, present := c.body["parameters"]
	if !present {
		if optional && !c.set.choices.ParametersRequired {
			return nil
		}
		return bad(ruleParametersPresent, "parameters is missing")
	}
	list, isArray := given.([]any)
	if !isArray {
		return bad(ruleParametersArray, "parameters is not an array")
	}
	c.parameters = make(map[string]string, len(list))
	for i, element := range list {
		pair, isObject := element.(map[string]any)
		name, hasName := pair["name"].(string)
		value, hasValue := pair["value"].(string)
		if !isObject || !hasName || !hasValue || name == "" {
			return bad(ruleParameterMembers, fmt.Sprintf("parameters[%d] is not an object with the strings name and value", i))
		}
		name = c.fold(name)
		if _, twice := c.parameters[name]; twice {
			return bad(ruleParameterMembers, fmt.Sprintf("parameters[%d] repeats a name", i))
		}
		c.parameters[name] = value
	}
	endpoint := c.service.endpoint(c.endpoint)
	if endpoint == nil {
		return nil // register/{type} looks at its type itself
	}
	if c.operation == ags.GetSessionToken && c.operatorTokenInHeader() {
		return nil
	}
	if len(list) == 0 && endpoint.mandatory() {
		return bad(ruleParametersNotEmpty, "parameters is empty")
	}
	for _, p := range endpoint.Parameters {
		if !p.Mandatory || c.parameters[c.fold(p.Name)] != "" {
			continue
		}
		if c.enforces(ruleMandatoryParameters) || c.operation != ags.SignOn && c.operation != ags.Register {
			return c.refusal(ruleMandatoryParameters, orElse(c.set.choices.MissingParameter, http.StatusBadRequest), 0, "a mandatory parameter is missing")
		}
	}
	return nil
}

func (c *call) operatorTokenInHeader() bool {
	return c.set.choices.OperatorTokenInHeader && c.header("OperatorAuthToken") != ""
}

func (e *Endpoint) mandatory() bool {
	for _, p := range e.Parameters {
		if p.Mandatory {
			return true
		}
	}
	return false
}

// fold brings names of parameters to the form in which they are compared.
func (c *call) fold(name string) string {
	if c.set.choices.ParameterCase {
		return name
	}
	return strings.ToLower(name)
}

func (c *call) parameter(name string) string {
	if value, found := c.parameters[c.fold(name)]; found {
		return value
	}
	endpoint := c.service.endpoint(c.endpoint)
	if endpoint == nil {
		return ""
	}
	for _, p := range endpoint.Parameters { // the service's own spelling
		if strings.EqualFold(p.Name, name) {
			return c.parameters[c.fold(p.Name)]
		}
	}
	return ""
}

// deviceArgument is the clientId of an n-th sign-on or the description of a device that signs on for the first time.
type deviceArgument struct {
	clientID string
	first    bool
	class    string
	managed  bool
}

const longestName = 256

// readDevice reads clientId and deviceInformation, of which exactly one is wanted.
func (c *call) readDevice() (deviceArgument, *reply) {
	bad := func(why string) *reply { return c.refusal(ruleDeviceArgument, http.StatusBadRequest, 0, why) }
	id, hasID := c.body["clientId"]
	information, hasInformation := c.body["deviceInformation"]
	if hasID && hasInformation {
		switch c.set.choices.BothDeviceArguments {
		case "clientId":
			hasInformation = false
		case "deviceInformation":
			hasID = false
		default:
			return deviceArgument{}, bad("clientId and deviceInformation exclude each other")
		}
	}
	switch {
	case hasID:
		text, isString := id.(string)
		if !isString || text == "" || len(text) > longestName {
			return deviceArgument{}, bad("clientId is not a string of 1 to 256 characters")
		}
		return deviceArgument{clientID: text}, nil
	case hasInformation:
		description, isObject := information.(map[string]any)
		if !isObject {
			return deviceArgument{}, bad("deviceInformation is not an object")
		}
		if len(description) == 0 && c.set.choices.EmptyDeviceRefused {
			return deviceArgument{}, bad("deviceInformation is empty")
		}
		argument := deviceArgument{first: true}
		switch class := description["playoutDeviceClass"].(type) {
		case nil:
		case string:
			if len(class) > longestName {
				return deviceArgument{}, bad("playoutDeviceClass is longer than 256 characters")
			}
			argument.class = class
		case float64, bool:
			argument.class = fmt.Sprint(class)
		default:
			return deviceArgument{}, bad("playoutDeviceClass is not a string")
		}
		for _, place := range []map[string]any{c.body, description} {
			if place["deviceType"] == "MANAGED" {
				argument.managed = true
			}
		}
		return argument, nil
	}
	if !c.enforces(ruleDeviceArgument) {
		return deviceArgument{first: true}, nil
	}
	return deviceArgument{}, bad("either clientId or deviceInformation is needed")
}
