// Package openapi writes the contract of package ags as an OpenAPI 3.1 document, so that tools of other people can
// read, lint, mock and proxy the same facts that the suite checks.
//
// Document is all of it: a pure function of the tables of ags, so that a change of the contract changes the document.
// agstest openapi prints it. What a fact of the contract means stands there, in package ags; what other tools make of
// the document is tested in internal/openapi/peers (make peers).
package openapi

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"agstest/ags"
)

type object = map[string]any

// clientToken names the security scheme of the calls that want a token in the header Authorization. It is no http
// bearer scheme, because the pages leave open whether the word Bearer comes before the token.
const clientToken = "clientToken"

// Document returns the contract as an indented OpenAPI 3.1 document in JSON. The address of the service is the server
// variable host. Members that the pages show only in samples are required too, as the suite gates on them by default;
// additional members are allowed everywhere. Statuses that the suite tolerates are described as such beside the
// documented ones. Bodies of refusals have no schema, because no page shows one.
func Document(version string) ([]byte, error) {
	paths := object{}
	for _, operation := range ags.Operations {
		item, _ := paths[operation.Path].(object)
		if item == nil {
			item = object{}
			paths[operation.Path] = item
		}
		item[strings.ToLower(operation.Method)] = describe(operation)
	}
	return json.MarshalIndent(object{
		"openapi": "3.1.0",
		"info": object{
			"title":   "Authentication Gateway Service",
			"version": version,
			"description": "The public facts of the Authentication Gateway Service of an OpenTV video platform, as agstest " +
				"checks them.",
			"contact": object{"name": "agstest", "url": "https://docs.nagra.vision/opentv-docs"},
			"license": object{"name": "See the licence of agstest", "identifier": "LicenseRef-agstest"},
		},
		"servers": []any{object{"url": "https://{host}",
			"variables": object{"host": object{"default": "api.example.com",
				"description": "host and port of the platform's client-facing gateway"}}}},
		"tags":  []any{object{"name": "authentication", "description": "Signing on, refreshing and signing out."}},
		"paths": paths,
		"components": object{"schemas": schemas(), "securitySchemes": object{clientToken: object{
			"type": "apiKey", "in": "header", "name": ags.HeaderAuthorization,
			"description": "The client's refresh or access token, with or without the word Bearer before it."}}},
	}, "", "  ")
}

// describe is one operation with its parameters, request body and documented answers.
func describe(operation ags.Operation) object {
	parameters, security := []any{}, []any{}
	for _, header := range operation.Headers {
		if header.Name == ags.HeaderAuthorization {
			security = append(security, object{clientToken: []string{}})
			continue // OpenAPI ignores a header parameter of this name
		}
		parameters = append(parameters, object{"name": header.Name, "in": "header", "required": header.Mandatory,
			"description": "See the page of the call.", "schema": object{"type": "string"}})
	}
	if strings.Contains(operation.Path, "{type}") {
		parameters = append(parameters, object{"name": "type", "in": "path", "required": true,
			"description": "One of the types that discovery offers.", "schema": object{"type": "string"}})
	}
	responses := object{}
	for _, status := range operation.Statuses {
		responses[strconv.Itoa(status)] = answer(operation, status)
	}
	for _, status := range tolerated(operation) {
		responses[strconv.Itoa(status)] = object{"description": "Not listed on the page of the call, and tolerated: " +
			meanings[status]}
	}
	for status, meaning := range map[string]string{"429": "Too many requests; come again later.",
		"503": "Not available for now; come again later."} {
		responses[status] = object{"description": "Not listed on the page of the call, and waited out: " + meaning,
			"headers": object{"Retry-After": object{"required": true,
				"description": "Seconds, or a date (RFC 9110 section 10.2.3).", "schema": object{"type": "string"}}}}
	}
	described := object{
		"operationId": operation.Name,
		"summary":     strings.ToUpper(operation.Purpose[:1]) + operation.Purpose[1:],
		"description": "Source: " + operation.Source + ".",
		"tags":        []string{"authentication"},
		"parameters":  parameters,
		"security":    security,
		"responses":   responses,
	}
	if operation.Method == "POST" {
		described["requestBody"] = object{"required": true,
			"content": object{"application/json": object{"schema": reference(requestSchema(operation.Name))}}}
	}
	return described
}

// requestSchema names the schema of a request body.
func requestSchema(operation string) string {
	switch operation {
	case ags.SignOn, ags.SignOnWithSessionToken:
		return "SignOnRequest"
	default:
		return "ParametersRequest"
	}
}

var meanings = map[int]string{
	200: "Done.", 201: "Done.", 300: "Several accounts match; pick one.", 400: "Bad request.",
	401: "Unauthorised request.",
	403: "Forbidden, failed authorisation or geo-blocked; often with a numeric sub-code.",
	404: "An entity does not exist, or no service is configured.",
	415: "Another media type than JSON was sent.",
}

// tolerated are refusals that no page lists for the call and that a service may answer all the same: the lists of
// discovery and of signOut leave out statuses that every other call has, and HTTP itself has one for a media type that
// is not understood (RFC 9110 section 15.5.16).
func tolerated(operation ags.Operation) []int {
	switch operation.Name {
	case ags.ServiceDiscovery:
		return []int{400, 401, 403}
	case ags.SignOut:
		return []int{401, 415}
	default:
		return []int{415}
	}
}

// answer is the description of one documented status of an operation.
func answer(operation ags.Operation, status int) object {
	described := object{"description": meanings[status]}
	schema, example := "", any(nil)
	switch {
	case status == 300:
		schema, example = "Accounts", sampleAccounts
	case status >= 300 || operation.Body == ags.Unspecified:
		return described
	case operation.Body == ags.DiscoveryBody:
		schema, example = "Services", sampleServices
	case operation.Body == ags.SessionTokenBody:
		schema, example = "SessionToken", object{"sessionToken": "sample-session-token-1"}
	case operation.Name == ags.Refresh:
		schema, example = "RefreshedTokens", sampleTokens()
	case operation.Body == ags.TokenBody:
		schema, example = "Tokens", sampleTokens()
	}
	described["content"] = object{"application/json": object{"schema": reference(schema), "example": example}}
	return described
}

func reference(schema string) object { return object{"$ref": "#/components/schemas/" + schema} }

// schemas are built from the fields of package ags.
func schemas() object {
	parameters := object{"type": "array", "items": reference("Parameter")}
	return object{
		"Tokens":          nested(ags.TokenFields),
		"RefreshedTokens": nested(refreshedFields()),
		"Services":        nested(ags.DiscoveryFields),
		"SessionToken":    nested(ags.SessionTokenFields),
		"Accounts":        nested(ags.AccountFields),
		"Parameter": object{"type": "object", "required": []string{"name", "value"},
			"properties": object{"name": object{"type": "string"}, "value": object{"type": "string"}}},
		"ParametersRequest": object{"type": "object", "required": []string{"parameters"},
			"properties": object{"parameters": parameters}},
		// Two schemas with names of their own: generators of clients make a sum of two types of them.
		"SignOnRequest": object{"oneOf": []any{reference("FirstSignOn"), reference("NthSignOn")}},
		"FirstSignOn": object{"type": "object", "required": []string{"parameters", "deviceInformation"},
			"description": "A first-time sign-on, which creates a device.",
			"properties": object{"parameters": parameters,
				"deviceInformation": object{"type": "object", "additionalProperties": true}}},
		"NthSignOn": object{"type": "object", "required": []string{"parameters", "clientId"},
			"description": "A sign-on of a device that is known.",
			"properties": object{"parameters": parameters,
				"clientId": object{"type": "string", "description": "From an earlier answer."}}},
	}
}

// refreshedFields returns the fields of the token body for a refresh, which need not repeat the client_id (REF-03).
func refreshedFields() []ags.Field {
	fields := slices.Clone(ags.TokenFields)
	for i := range fields {
		fields[i].Required = fields[i].Required && fields[i].Path != "client_id"
	}
	return fields
}

// nested turns a list of dotted paths into a schema. A parent comes before its members in the list.
func nested(fields []ags.Field) object {
	root := object{"type": "object", "properties": object{}}
	places := map[string]object{"": root}
	for _, field := range fields {
		parent, name := "", field.Path
		if dot := strings.LastIndex(field.Path, "."); dot >= 0 {
			parent, name = field.Path[:dot], field.Path[dot+1:]
		}
		schema := object{"type": string(field.Kind)}
		if field.Kind == ags.Object {
			schema["properties"] = object{}
		}
		places[field.Path] = schema
		if field.Kind == ags.Array {
			items := object{"type": "object", "properties": object{}}
			schema["items"] = items
			places[field.Path+"[]"] = items
		}
		holder := places[parent]
		holder["properties"].(object)[name] = schema
		if field.Required {
			required, _ := holder["required"].([]string)
			holder["required"] = append(required, name)
		}
	}
	return root
}

// The example answers are made up here; no published token is repeated.
var (
	sampleServices = object{"availableServices": []any{object{
		"authServiceName":   "Example SSO",
		"displayAttributes": object{"logo": "https://sso.example.com/logo.svg", "name": "Example"},
		"endpoints": []any{
			object{"name": "SIGNON", "path": "/signOn", "parameterProperties": []any{
				object{"name": "username", "mandatory": true, "isPassword": false},
				object{"name": "password", "mandatory": true, "isPassword": true}}},
			object{"name": "SIGNONWITHSESSIONTOKEN", "path": "/signOnWithSessionToken", "parameterProperties": []any{
				object{"name": "sessionToken", "mandatory": true, "isPassword": true}}},
		}}}}
	sampleAccounts = object{"accounts": []any{
		object{"accountInformation": `{"name":"first"}`, "userAccountToken": "sample-user-account-token-1"},
		object{"accountInformation": `{"name":"second"}`, "userAccountToken": "sample-user-account-token-2"}}}
)

// sampleTokens is a token body whose tokens have the published claims and a signature of the right length made of
// nothing secret.
func sampleTokens() object {
	const issued, access, refresh, fixed = 1767225600, 3600, 172800, 2592000
	token := func(typ string, exp int, full bool) string {
		claims := object{}
		for _, claim := range ags.Claims {
			if full && claim.Access || claim.Refresh {
				claims[claim.Name] = sampleClaim(claim)
			}
		}
		claims["typ"], claims["exp"], claims["fixed_exp"] = typ, exp, issued+fixed
		payload, _ := json.Marshal(claims)
		signed := segment([]byte(`{"kid":"1","alg":"HS256","typ":"JWT"}`)) + "." + segment(payload)
		sum := sha256.Sum256([]byte(signed))
		return signed + "." + segment(sum[:])
	}
	return object{
		"access_token":  token(ags.AccessType, issued+access, true),
		"refresh_token": token(ags.RefreshType, issued+refresh, false),
		"client_id":     "EXAMPLE_1", "accountId": "1", "token_type": "bearer",
		"expires_in": access, "refresh_expires_in": refresh, "fixed_refresh_expires_in": fixed,
	}
}

func segment(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// sampleClaim is a value of the first kind that a claim may have.
func sampleClaim(claim ags.Claim) any {
	switch claim.Name {
	case "ver":
		return "1.0"
	case "tenantId":
		return "example"
	case "accountId", "userId", "jti":
		return "1"
	case "deviceId":
		return "EXAMPLE_1"
	case "sessionControl":
		return object{"maxSessions": 3, "sessionControlEnabled": true}
	}
	switch claim.Kinds[0] {
	case ags.String:
		return "DEFAULT"
	case ags.Boolean:
		return false
	case ags.Object:
		return object{}
	case ags.Integer:
		return 0
	}
	return nil
}
