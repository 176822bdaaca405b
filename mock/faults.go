package mock

// Faults are the faults that the mock can have, grouped by what they spoil.
func Faults() []Fault { return nil }
