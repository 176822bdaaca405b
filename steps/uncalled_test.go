package steps_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"agstest/internal/environment"
	"agstest/mock"
)

// TestUncalledRegistrationsAreNamed: what discovery lists and no situation has is said, and nothing where the file has
// it, says that the platform has no registration, or another part is asked for.
func TestUncalledRegistrationsAreNamed(t *testing.T) {
	t.Parallel()
	without := func(e *environment.Environment) {
		delete(e.Situations, "registration")
		delete(e.Situations, "multi-registration")
	}
	for name, test := range map[string]struct {
		change func(*environment.Environment)
		only   string
		note   bool
	}{
		"no situation":         {without, "", true},
		"a situation":          {nil, "", false},
		"absent":               {func(e *environment.Environment) { without(e); e.Absent = []string{"register"} }, "", false},
		"a part of the suite":  {without, "DISC-01", false},
		"the part it is about": {without, "REG-01", true},
	} {
		o := quick
		o.Environment = live(t, test.change)
		if o.Tags = "@register or @discovery"; test.only != "" {
			o.Tags, o.Only = "", []string{test.only}
		} else {
			o.Only = nil
		}
		notes := strings.Join(run(t, o).Notes, "\n")
		assert.Equal(t, test.note, strings.Contains(notes, "no situation has these types of registration, which discovery lists, so they were not called: tvkey; write situations.registration: "), "%s: %s", name, notes)
	}
	o := quick
	o.Environment, o.Only = service(t, mock.Config{}), []string{"REG-01"}
	assert.NotContains(t, strings.Join(run(t, o).Notes, "\n"), "types of registration", "the control interface makes users of it")
}
