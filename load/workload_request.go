package load

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
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

// calls says what each step sends and which status is wanted.
var calls = [stepCount]struct {
	name, operation string // ours, and that of ags.Operations
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

// requests builds the requests of one environment. What does not differ between hits is built once.
type requests struct {
	headers   [stepCount][]hit.HeaderField // without those that differ
	methods   [stepCount]string
	paths     [stepCount]string
	bearer    string // before a token: "Bearer " or nothing
	run       string // start of every x-correlation-id; empty where the environment sets that header itself
	operator  *operatorKey
	parameter []byte // name of the operator's parameter, as JSON text
}

// firstDevice is the device that first-time sign-ons describe: a plain Android phone, as in the platform table of the page "First-time
// and n-th time sign-on".
const firstDevice = `{"device":{"screen":{"height":2400,"width":1080,"density":420},"hardware":{"model":"Load test","manufacturer":"agstest","type":"Mobile"},` +
	`"OS":{"type":"Android","version":"14"},"CPU":{"neon":true,"frequency":2800,"cores":8},"GPU":{"frequency":900,"cores":6}},` +
	`"securePlayer":{"codecs":["H264"],"streamings":["HLS"],"DRMs":["SSP"]},"deviceType":"OPEN","msgPlatform":"fcm"}`

const (
	startOfSession = `{"parameters":[{"name":"sessionToken","value":`
	noParameters   = `{"parameters":[]}`
)

var noParametersBody = []byte(noParameters)

func newRequests(e *environment.Environment, service string, seed uint64) *requests {
	r := &requests{run: "agstest-" + strconv.FormatUint(seed, 36) + "-"}
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
			header = append(header, hit.HeaderField{Name: "Content-Type", Value: "application/json"}, hit.HeaderField{Name: ags.HeaderService, Value: service})
		}
		if e.Tenant != "" {
			header = append(header, hit.HeaderField{Name: ags.HeaderTenant, Value: e.Tenant})
		}
		var extra []hit.HeaderField
		for name, value := range e.SentHeaders() {
			header = slices.DeleteFunc(header, func(h hit.HeaderField) bool { return strings.EqualFold(h.Name, name) })
			extra = append(extra, hit.HeaderField{Name: name, Value: value})
			if strings.EqualFold(name, ags.HeaderCorrelation) {
				r.run = ""
			}
		}
		slices.SortFunc(extra, func(a, b hit.HeaderField) int { return strings.Compare(a.Name, b.Name) })
		r.headers[s] = append(header, extra...)
	}
	if e.Operator != nil {
		r.operator = newOperatorKey(e)
		r.parameter = appendJSON(nil, []byte(e.Operator.Parameter))
	}
	return r
}

// begin fills in what every request of a step has.
func (r *requests) begin(request *hit.Request, s step, seq uint64) {
	request.Method, request.Path, request.Body = r.methods[s], r.paths[s], nil
	request.Header = append(request.Header[:0], r.headers[s]...)
	if r.run == "" {
		return
	}
	id := make([]byte, 0, 40)
	id = strconv.AppendUint(append(id, r.run...), seq, 10)
	request.Header = append(request.Header, hit.HeaderField{Name: ags.HeaderCorrelation, Value: string(id)})
}

// signOn makes the body of a sign-on; without a device it is a first-time one.
func (r *requests) signOn(request *hit.Request, session, device []byte) {
	size := len(startOfSession) + 2*len(session) + 8
	if device == nil {
		size += len(firstDevice) + 24
	} else {
		size += 2*len(device) + 16
	}
	body := append(make([]byte, 0, size), startOfSession...)
	body = appendJSON(body, session)
	if device == nil {
		body = append(body, `}],"deviceInformation":`...)
		body = append(body, firstDevice...)
	} else {
		body = append(body, `}],"clientId":`...)
		body = appendJSON(body, device)
	}
	request.Body = append(body, '}')
}

// authorized adds a token as Authorization and an empty list of parameters (ambiguity 7.18).
func (r *requests) authorized(request *hit.Request, token []byte) {
	var value strings.Builder
	value.Grow(len(r.bearer) + len(token))
	value.WriteString(r.bearer)
	value.Write(token)
	request.Header = append(request.Header, hit.HeaderField{Name: ags.HeaderAuthorization, Value: value.String()})
	request.Body = noParametersBody
}

// mint makes the body of a head-end system's request for a session token.
func (r *requests) mint(request *hit.Request, account []byte, now time.Time) {
	body := make([]byte, 0, 512)
	body = append(body, `{"parameters":[{"name":`...)
	body = append(body, r.parameter...)
	body = append(body, `,"value":"`...)
	body = r.operator.appendToken(body, account, now)
	request.Body = append(body, `"}]}`...)
}

// operatorKey signs OperatorAuthTokens as the page "Requesting a session token" shows them: HS256 (RFC 7515, RFC 7518 section 3.2).
type operatorKey struct {
	secret  []byte
	account string // where the client's own account is not known
	header  []byte // encoded, with the dot
	// The claims up to the value of the account, from there to that of exp, and the rest, as JSON text.
	before, between, after []byte
}

// operatorTokenLife is how long an OperatorAuthToken is good for; each is used once and at once.
const operatorTokenLife = 5 * time.Minute

func newOperatorKey(e *environment.Environment) *operatorKey {
	header := []byte(`{"alg":"HS256","typ":"JWT"}`)
	if e.Operator.KeyID != "" {
		header = append(append([]byte(`{"alg":"HS256","typ":"JWT","kid":`), appendJSON(nil, []byte(e.Operator.KeyID))...), '}')
	}
	return &operatorKey{
		secret: []byte(e.Operator.Secret), account: e.Operator.Account,
		header:  append(base64.RawURLEncoding.AppendEncode(nil, header), '.'),
		before:  fmt.Appendf(nil, `{"typ":%q,%q:`, ags.OperatorToken.Type, ags.OperatorToken.Account),
		between: fmt.Appendf(nil, `,%q:%s,"exp":`, ags.OperatorToken.Tenant, appendJSON(nil, []byte(e.Tenant))),
		after:   fmt.Appendf(nil, `,"aud":%q}`, ags.OperatorToken.Audience),
	}
}

func (k *operatorKey) appendToken(dst, account []byte, now time.Time) []byte {
	if len(account) == 0 {
		account = []byte(k.account)
	}
	var room [256]byte
	claims := appendJSON(append(room[:0], k.before...), account)
	claims = strconv.AppendInt(append(claims, k.between...), now.Add(operatorTokenLife).Unix(), 10)
	claims = append(claims, k.after...)
	start := len(dst)
	dst = append(dst, k.header...)
	dst = base64.RawURLEncoding.AppendEncode(dst, claims)
	mac := hmac.New(sha256.New, k.secret)
	mac.Write(dst[start:])
	var sum [sha256.Size]byte
	return base64.RawURLEncoding.AppendEncode(append(dst, '.'), mac.Sum(sum[:0]))
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
