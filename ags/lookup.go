package ags

import "slices"

// IsClaim tells whether a page names a claim of tokens, such as accountId.
func IsClaim(name string) bool {
	return slices.ContainsFunc(Claims, func(c Claim) bool { return c.Name == name })
}

// OperationByName finds an operation by its name, such as signOnWithSessionToken.
func OperationByName(name string) (Operation, bool) {
	for _, o := range Operations {
		if o.Name == name {
			return o, true
		}
	}
	return Operation{}, false
}

// RequirementByID finds a requirement by its id, such as SOST-01.
func RequirementByID(id string) (Requirement, bool) {
	i, ok := requirementIndex[id]
	if !ok {
		return Requirement{}, false
	}
	return Requirements[i], true
}

var requirementIndex = func() map[string]int {
	index := make(map[string]int, len(Requirements))
	for i, r := range Requirements {
		index[r.ID] = i
	}
	return index
}()
