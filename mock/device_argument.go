package mock

import (
	"fmt"
	"net/http"
)

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
		switch c.set.behaviour.BothDeviceArguments {
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
		return c.readDescription(information)
	}
	if !c.enforces(ruleDeviceArgument) || c.set.behaviour.NoDeviceMakesOne {
		return deviceArgument{first: true}, nil
	}
	return deviceArgument{}, bad("either clientId or deviceInformation is needed")
}

// readDescription reads deviceInformation.
func (c *call) readDescription(information any) (deviceArgument, *reply) {
	bad := func(why string) *reply { return c.refusal(ruleDeviceArgument, http.StatusBadRequest, 0, why) }
	description, isObject := information.(map[string]any)
	if !isObject && c.set.behaviour.AnyDescription {
		return deviceArgument{first: true}, nil
	}
	if !isObject {
		return deviceArgument{}, bad("deviceInformation is not an object")
	}
	if len(description) == 0 && c.set.behaviour.EmptyDeviceRefused {
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
	if known := c.set.behaviour.DeviceClass; known != "" && argument.class != known {
		return deviceArgument{}, bad("the playoutDeviceClass is not known")
	}
	for _, place := range []map[string]any{c.body, description} {
		if place["deviceType"] == "MANAGED" {
			argument.managed = true
		}
	}
	return argument, nil
}
