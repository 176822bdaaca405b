package mock

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"agstest/ags"
)

func (c *call) readParameters(optional bool) *reply {
	bad := func(r rule, why string) *reply { return c.refusal(r, http.StatusBadRequest, 0, why) }
	given, present := c.body["parameters"]
	if !present {
		if optional && !c.set.behaviour.ParametersRequired {
			return nil
		}
		return bad(ruleParametersPresent, "parameters is missing")
	}
	list, isArray := c.listOf(given)
	if !isArray {
		return bad(ruleParametersArray, "parameters is not an array")
	}
	if refused := c.readPairs(list); refused != nil {
		return refused
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
			return c.refusal(ruleMandatoryParameters, cmp.Or(c.set.behaviour.MissingParameter, http.StatusBadRequest),
				0, "a mandatory parameter is missing")
		}
	}
	return nil
}

// listOf reads parameters as the list that they are, or what a fault takes for one.
func (c *call) listOf(given any) (list []any, isArray bool) {
	if text, isText := given.(string); isText && !c.enforces(ruleParametersNoText) {
		var read any
		_ = json.Unmarshal([]byte(text), &read)
		given = read
	}
	if values, isMap := given.(map[string]any); isMap && !c.enforces(ruleParametersNoMap) {
		return pairsOf(values), true
	}
	list, isArray = given.([]any)
	return list, isArray
}

// pairsOf are the parameters of a map of names and values.
func pairsOf(values map[string]any) []any {
	var list []any
	for name, value := range values {
		list = append(list, map[string]any{"name": name, "value": value})
	}
	return list
}

// readPairs reads the elements of parameters.
func (c *call) readPairs(list []any) *reply {
	bad := func(r rule, why string) *reply { return c.refusal(r, http.StatusBadRequest, 0, why) }
	c.parameters = make(map[string]string, len(list))
	for i, element := range list {
		pair, isObject := element.(map[string]any)
		name, hasName := pair["name"].(string)
		value, hasValue := pair["value"].(string)
		if !isObject || !hasName || !hasValue || name == "" {
			return bad(ruleParameterMembers,
				fmt.Sprintf("parameters[%d] is not an object with the strings name and value", i))
		}
		name = c.fold(name)
		if _, twice := c.parameters[name]; twice {
			return bad(ruleParameterMembers, fmt.Sprintf("parameters[%d] repeats a name", i))
		}
		c.parameters[name] = value
	}
	return nil
}

func (c *call) operatorTokenInHeader() bool {
	return c.set.behaviour.OperatorTokenInHeader && c.header("OperatorAuthToken") != ""
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
	if c.set.behaviour.ParameterCase {
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
