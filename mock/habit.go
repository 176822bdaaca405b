package mock

import "net/http"

// Habit is something that a conforming service may do, however unusual. A suite stays green under each.
type Habit struct {
	Name    string
	Summary string
	// Apply changes the choices; nil: it does not.
	Apply func(*Choices)
	// Transport wraps the whole service; nil: it does not.
	Transport func(http.Handler) http.Handler

	near []nearness

	outcomes map[ruleKey]outcome // statuses of refusals; the empty operation stands for all
	means    Fault               // what else it changes, with the means of a fault
}

// HabitByName finds a habit.
func HabitByName(name string) (Habit, bool) {
	for _, h := range Habits() {
		if h.Name == name {
			return h, true
		}
	}
	return Habit{}, false
}
