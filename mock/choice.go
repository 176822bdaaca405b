package mock

import "net/http"

// Choice is something that a conforming service may do, however unusual. A suite stays green under each.
type Choice struct {
	Name    string
	Summary string
	// Apply changes the behaviour; nil: it does not.
	Apply func(*Behaviour)
	// Transport wraps the whole service; nil: it does not.
	Transport func(http.Handler) http.Handler

	near []nearness

	outcomes map[ruleKey]outcome // statuses of refusals; the empty operation stands for all
	means    Fault               // what else it changes, with the means of a fault
}

// ChoiceByName finds a choice.
func ChoiceByName(name string) (Choice, bool) {
	for _, h := range Choices() {
		if h.Name == name {
			return h, true
		}
	}
	return Choice{}, false
}
