package check

import (
	"fmt"
	"strings"
	"testing"

	"agstest/ags"
	"agstest/internal/wire"

	"github.com/stretchr/testify/assert"
)

// shape is what one answer shows.
func shape(x *wire.Exchange) []Sighted {
	var shapes Shapes
	shapes.Add(x)
	return shapes.All()
}

func places(observations []Sighted) []string {
	var list []string
	for _, o := range observations {
		list = append(list, strings.TrimSpace(o.Place+" "+o.Kind))
	}
	return list
}

func TestShape(t *testing.T) {
	assert.Equal(t, []string{
		"availableServices array", "availableServices[] object", "availableServices[].authServiceName string",
		"availableServices[].displayAttributes object", "availableServices[].displayAttributes.logo string", "availableServices[].displayAttributes.name string",
		"availableServices[].endpoints array", "availableServices[].endpoints[] object", "availableServices[].endpoints[].name string",
		"availableServices[].endpoints[].parameterProperties array", "availableServices[].endpoints[].parameterProperties[] object",
		"availableServices[].endpoints[].parameterProperties[].isPassword boolean", "availableServices[].endpoints[].parameterProperties[].mandatory boolean",
		"availableServices[].endpoints[].parameterProperties[].name string", "availableServices[].endpoints[].path string",
		"body object", "header cache-control", "header content-length", "header content-type application/json", "header date", "status",
	}, places(shape(recorded(t, "servicediscovery-200", ags.ServiceDiscovery).exchange())))

	tokens := places(shape(recorded(t, sost, ags.SignOnWithSessionToken).exchange()))
	assert.Contains(t, tokens, "access header kid string")
	assert.Contains(t, tokens, "access claim exp integer")
	assert.Contains(t, tokens, "access claim sessionControl.maxSessions integer")
	assert.Contains(t, tokens, "refresh claim jti string")
	assert.Contains(t, tokens, "expires_in integer")

	assert.Contains(t, places(shape(recorded(t, "missing-404", ags.SignOn).exchange())), "body not JSON")
	assert.Contains(t, places(shape(recorded(t, "signOut-200", ags.SignOut).exchange())), "body empty")
	assert.Empty(t, shape(&wire.Exchange{}))
}

func TestShapeIsBounded(t *testing.T) {
	var body strings.Builder
	body.WriteString("{")
	for i := range 5000 {
		fmt.Fprintf(&body, `"m%s%d":1,`, strings.Repeat("x", i%70), i)
	}
	body.WriteString(`"z":1}`)
	assert.Len(t, shape(&wire.Exchange{Status: 200, Body: []byte(body.String())}), maxObservations)
}

func TestShapesCountAnswers(t *testing.T) {
	var shapes Shapes
	for _, body := range []string{`{"list":[1,2,3]}`, `{"list":[4,"five"]}`, `{"list":[]}`} {
		shapes.Add(&wire.Exchange{Status: 200, Body: []byte(body)})
	}
	shapes.Add(&wire.Exchange{Status: 404})
	times := map[string]int{}
	for _, o := range shapes.All() {
		times[strings.TrimSpace(fmt.Sprint(o.Status, " ", o.Place, " ", o.Kind))] = o.Times
	}
	assert.Equal(t, map[string]int{"200 status": 3, "200 body object": 3, "200 list array": 3, "200 list[] integer": 2,
		"200 list[] string": 1, "404 status": 1, "404 body empty": 1}, times)
}
