package shards

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"agstest/internal/failure"
)

// ReadPlan reads a plan file for a program of this version. A plan of another version or form is refused: a shard that
// reads it in another way than it was meant would send something else. Errors are of the kind failure.Usage.
func ReadPlan(text []byte, version string) (*Plan, error) {
	plan := new(Plan)
	if err := json.Unmarshal(text, plan); err != nil {
		return nil, failure.Usagef("the plan of the shards cannot be read: it is no JSON of the form %s", PlanSchema)
	}
	switch {
	case plan.Schema != PlanSchema:
		return nil, failure.Usagef("the plan of the shards is of the form %q and this agstest reads %s; use an image of the coordinator's version", plan.Schema, PlanSchema)
	case plan.Version != version:
		return nil, failure.Usagef("the plan of the shards was made by agstest %s and the image holds %s; use an image of the coordinator's version", plan.Version, version)
	case plan.Shards < 1:
		return nil, failure.Usagef("the plan of the shards is for %d shards; one at least is needed", plan.Shards)
	}
	return plan, nil
}

// encode writes a plan file. People read it (agstest kubernetes manifest).
func encode(plan Plan) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(plan)
	return text.Bytes(), err
}

// Alone tells whether a plan, of whatever version, is for shards that nobody connects to.
func Alone(text []byte) bool {
	var plan struct {
		StartAt int64 `json:"startAt"`
	}
	return json.Unmarshal(text, &plan) == nil && plan.StartAt != 0
}

// HashOf is the SHA-256 of a plan file, or of a result, in hex.
func HashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
