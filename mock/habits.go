package mock

// Habits are the conforming habits that the mock can take on.
func Habits() []Habit { return nil }
