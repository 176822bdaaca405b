package clients

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"agstest/ags"
	"agstest/internal/environment"
	"agstest/internal/wire"
	"agstest/load/hit"
)

// step is one call of a virtual client.
type step uint8

const (
	stepSignOn step = iota
	stepSignOnFirst
	stepRefresh
	stepDiscover
	stepSignOut
	stepMint
	stepCount
)

// calls lists the request of each step and its wanted status.
var calls = [stepCount]struct {
	name, operation string // our name, and that of ags.Operations
	wanted          int
}{
	stepSignOn:      {hit.OpSignOn, ags.SignOnWithSessionToken, 201},
	stepSignOnFirst: {hit.OpSignOnFirst, ags.SignOnWithSessionToken, 201},
	stepRefresh:     {hit.OpRefresh, ags.Refresh, 200},
	stepDiscover:    {hit.OpDiscover, ags.ServiceDiscovery, 200},
	stepSignOut:     {hit.OpSignOut, ags.SignOut, 200},
	stepMint:        {hit.OpMint, ags.GetSessionToken, 200},
}

func (s step) String() string { return calls[s].name }

// requests builds the requests of one environment. Parts that are the same for all hits are built once.
type requests struct {
	headers   [stepCount][]hit.HeaderField // without those that differ
	methods   [stepCount]string
	paths     [stepCount]string
	bearer    string // before a token: "Bearer " or nothing
	run       string // start of every x-correlation-id; empty where the environment sets that header itself
	given     string // the x-correlation-id that the environment sets
	sent      atomic.Uint64
	trace     *traceParents // nil: no traces are sent
	operator  *operatorSigner
	carrier   string // header of the OperatorAuthToken; empty: it is a parameter
	parameter []byte // name of the operator's parameter, as JSON text
	// further parameters of getSessionToken as JSON text, each with a comma before it
	minting []byte
	session []byte // body of a sign-on up to the session token
	// further parameters of signOnWithSessionToken, each with a comma before it
	more     []byte
	own      [stepCount][]givenParameter                  // parameters of calls whose token identifies the client
	device   []byte                                       // deviceInformation of first-time sign-ons
	numbered bool                                         // {n} in it becomes the number of the client
	renewed  [stepCount]atomic.Pointer[[]hit.HeaderField] // headers whose values change while the run lasts
	signOnAs environment.SessionSignOn
	mintAs   *environment.Operator
}

// firstDevice is the device that first-time sign-ons describe: a plain Android phone, as in the platform table of the
// page "First-time and n-th time sign-on".
const firstDevice = `{"device":{"screen":{"height":2400,"width":1080,"density":420},"hardware":{"model":"Load test","manufacturer":"agstest","type":"Mobile"},` +
	`"OS":{"type":"Android","version":"14"},"CPU":{"neon":true,"frequency":2800,"cores":8},"GPU":{"frequency":900,"cores":6}},` +
	`"securePlayer":{"codecs":["H264"],"streamings":["HLS"],"DRMs":["SSP"]},"deviceType":"OPEN","msgPlatform":"fcm"}`

const (
	startOfParameters = `{"parameters":[`
	noParameters      = `{"parameters":[]}`
)

var noParametersBody = []byte(noParameters)

func newRequests(e *environment.Environment, service string, seed uint64) *requests {
	r := &requests{run: "agstest-" + strconv.FormatUint(seed, 36) + "-" + unlikeOthers() + "-",
		device: []byte(firstDevice), more: furtherParameters(e.SignOn.Parameters), signOnAs: e.SignOn,
		mintAs: e.Operator}
	if e.DeviceInformation != "" {
		r.device, r.numbered = []byte(e.DeviceInformation), strings.Contains(string(e.DeviceInformation), "{n}")
	}
	r.own[stepRefresh], r.own[stepSignOut] = givenParameters(e.Load.Parameters.Refresh), givenParameters(
		e.Load.Parameters.SignOut)
	r.nameSession(cmp.Or(e.SignOn.Parameter, "sessionToken"))
	if e.Authorization != wire.Raw {
		r.bearer = "Bearer "
	}
	for s := range stepCount {
		for _, operation := range ags.Operations {
			if operation.Name == calls[s].operation {
				r.methods[s], r.paths[s] = operation.Method, e.PathOf(operation.Path)
			}
		}
		var header []hit.HeaderField
		if s != stepDiscover {
			name := service
			if s == stepMint && e.Operator != nil {
				name = cmp.Or(e.Operator.Service, service)
			}
			header = append(header, hit.HeaderField{Name: "Content-Type", Value: "application/json"},
				hit.HeaderField{Name: ags.HeaderService, Value: name})
		}
		if e.Tenant != "" {
			header = append(header, hit.HeaderField{Name: ags.HeaderTenant, Value: e.Tenant})
		}
		var extra []hit.HeaderField
		for name, value := range sentWith(e, s) {
			header = slices.DeleteFunc(header, func(h hit.HeaderField) bool { return strings.EqualFold(h.Name, name) })
			extra = append(extra, hit.HeaderField{Name: name, Value: value})
			if strings.EqualFold(name, ags.HeaderCorrelation) {
				r.run, r.given = "", value
			}
		}
		slices.SortFunc(extra, func(a, b hit.HeaderField) int { return strings.Compare(a.Name, b.Name) })
		r.headers[s] = append(header, extra...)
		if authorizes(s) {
			r.headers[s] = withoutHeader(r.headers[s], ags.HeaderAuthorization)
		}
	}
	if e.Operator != nil {
		r.operator = newOperatorSigner(e)
		r.carrier = e.Operator.Header
		r.parameter = appendJSON(nil, []byte(e.Operator.Parameter))
		r.minting = furtherParameters(e.Operator.Parameters)
	}
	return r
}

// begin fills in the common parts of a step's requests. No two requests have the same x-correlation-id, including those
// of other parts of a run with the same seed.
func (r *requests) begin(request *hit.Request, s step) {
	request.Method, request.Path, request.Body = r.methods[s], r.paths[s], nil
	request.Authorization = request.Authorization[:0]
	request.Header = append(request.Header[:0], r.headers[s]...)
	if renewed := r.renewed[s].Load(); renewed != nil {
		request.Header = append(request.Header, *renewed...)
	}
	request.CorrelationID, request.TraceParent = r.given, ""
	n := r.sent.Add(1)
	if r.run != "" {
		id := make([]byte, 0, 48)
		request.CorrelationID = string(strconv.AppendUint(append(id, r.run...), n, 10))
		request.Header = append(request.Header, hit.HeaderField{Name: ags.HeaderCorrelation,
			Value: request.CorrelationID})
	}
	if r.trace != nil {
		request.TraceParent = r.trace.of(n)
		request.Header = append(request.Header, hit.HeaderField{Name: headerTraceParent, Value: request.TraceParent})
	}
}

// nameSession sets the name of the parameter that carries the session token.
func (r *requests) nameSession(name string) {
	r.session = append(appendJSON([]byte(startOfParameters+`{"name":`), []byte(name)), `,"value":`...)
}

// furtherParameters is JSON text of parameters, each with a comma before it.
func furtherParameters(given map[string]string) []byte {
	var text []byte
	for _, name := range slices.Sorted(maps.Keys(given)) {
		text = appendJSON(append(text, `,{"name":`...), []byte(name))
		text = append(appendJSON(append(text, `,"value":`...), []byte(given[name])), '}')
	}
	return text
}

// signOn makes the body of a sign-on of client n; without a device it is a first-time one.
func (r *requests) signOn(request *hit.Request, session, device []byte, n uint32) {
	size := len(r.session) + 2*len(session) + len(r.more) + 8
	if device == nil {
		size += len(r.device) + 32
	} else {
		size += 2*len(device) + 16
	}
	body := append(make([]byte, 0, size), r.session...)
	body = appendJSON(body, session)
	body = append(append(append(body, '}'), r.more...), ']')
	switch {
	case device != nil:
		body = append(body, `,"clientId":`...)
		body = appendJSON(body, device)
	case r.numbered:
		body = append(body, `,"deviceInformation":`...)
		body = append(body, bytes.ReplaceAll(r.device, []byte("{n}"), strconv.AppendUint(nil, uint64(n)+1, 10))...)
	default:
		body = append(body, `,"deviceInformation":`...)
		body = append(body, r.device...)
	}
	request.Body = append(body, '}')
}

// withoutHeader removes a header of the environment file that the call itself sets.
func withoutHeader(header []hit.HeaderField, name string) []hit.HeaderField {
	return slices.DeleteFunc(header, func(h hit.HeaderField) bool { return strings.EqualFold(h.Name, name) })
}

// Renew gives headers new values, on all requests that begin from now on. Minting are the headers of getSessionToken.
func (c *Crowd) Renew(headers, minting map[string]string) {
	for s := range stepCount {
		values := headers
		if s == stepMint {
			values = minting
		}
		var fields []hit.HeaderField
		for _, name := range slices.Sorted(maps.Keys(values)) {
			fields = append(fields, hit.HeaderField{Name: name, Value: values[name]})
		}
		if authorizes(s) {
			fields = withoutHeader(fields, ags.HeaderAuthorization)
		}
		c.requests.renewed[s].Store(&fields)
	}
}

// authorizes tells whether the token of the client goes into the header Authorization.
func authorizes(s step) bool { return s == stepRefresh || s == stepSignOut }

// authorized adds a token as Authorization, and the parameters that the environment gives for the step: none by default
// (ambiguity 7.18).
func (r *requests) authorized(request *hit.Request, s step, token []byte, who *roster, n uint32) {
	request.Authorization = append(append(request.Authorization[:0], r.bearer...), token...)
	request.Body = noParametersBody
	if given := r.own[s]; given != nil {
		request.Body = who.appendGiven(make([]byte, 0, 256), given, n)
	}
}

// mint makes the body of a head-end system's request for a session token.
func (r *requests) mint(request *hit.Request, account []byte, now time.Time) {
	if r.carrier != "" {
		token := r.operator.appendToken(nil, account, now)
		if strings.EqualFold(r.carrier, ags.HeaderAuthorization) {
			token = append([]byte(r.bearer), token...)
		}
		request.Header = append(withoutHeader(request.Header, r.carrier),
			hit.HeaderField{Name: r.carrier, Value: string(token)})
		further := bytes.TrimPrefix(r.minting, []byte(","))
		request.Body = append(append([]byte(startOfParameters), further...), "]}"...)
		return
	}
	body := make([]byte, 0, 512)
	body = append(body, startOfParameters+`{"name":`...)
	body = append(body, r.parameter...)
	body = append(body, `,"value":"`...)
	body = r.operator.appendToken(body, account, now)
	body = append(append(body, `"}`...), r.minting...)
	request.Body = append(body, `]}`...)
}

// sentWith are the headers of the file for a step.
func sentWith(e *environment.Environment, s step) map[string]string {
	if target, own, err := e.OperatorTarget(); s == stepMint && own && err == nil {
		return target.Headers
	}
	return e.SentHeaders()
}

// appendJSON appends a text as a JSON string (RFC 8259 section 7).
func appendJSON(dst, text []byte) []byte {
	plain := utf8.Valid(text)
	for _, b := range text {
		if b < ' ' || b == '"' || b == '\\' {
			plain = false
			break
		}
	}
	if plain {
		return append(append(append(dst, '"'), text...), '"')
	}
	quoted, err := json.Marshal(string(text))
	if err != nil {
		panic(fmt.Sprintf("a string cannot be marshalled: %v", err))
	}
	return append(dst, quoted...)
}
