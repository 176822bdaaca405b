package steps

import (
	"slices"
	"strings"
)

// noteUncalled names the types of registration that discovery lists and no situation has. The answer of a registration
// depends on credentials of its type. Without them the service may refuse the call like one of an unknown type, and
// nothing can be judged. So the suite does not call it, and says so.
func (r *run) noteUncalled() []string {
	if !r.selection.asked["REG-01"] || slices.Contains(r.Environment.Absent, "register") {
		return nil
	}
	called := []string{r.Environment.Situations["registration"].Type, r.Environment.Situations["multi-registration"].Type}
	if r.Control != nil {
		called = append(called, "tvkey") // which users of a mock have
	}
	var types []string
	for _, service := range r.Services {
		if service.Name != r.Service {
			continue
		}
		for _, endpoint := range service.Endpoints {
			kind, found := strings.CutPrefix(endpoint.Path, "/register/")
			if found && kind != "" && !slices.Contains(called, kind) && !slices.Contains(types, kind) {
				types = append(types, kind)
			}
		}
	}
	if len(types) == 0 {
		return nil
	}
	return []string{"no situation has these types of registration, which discovery lists, so they were not called: " + some(types) + "; write situations.registration: {type: …, parameters: …}"}
}
