package mock

import (
	"fmt"
	"net/http"
)

type deviceView struct {
	ClientID           string  `json:"clientId"`
	Status             string  `json:"status"`
	Activity           string  `json:"activity"`
	Approved           bool    `json:"approved"`
	Deleted            bool    `json:"deleted"`
	PlayoutDeviceClass *string `json:"playoutDeviceClass"`
}

func (s *Server) controlChangeDevice(r *http.Request) (any, error) {
	var order struct {
		Status, Activity  string
		Approved, Deleted *bool
	}
	if err := readControl(r, &order); err != nil {
		return nil, err
	}
	st := &s.state
	st.mutex.Lock()
	defer st.mutex.Unlock()
	id := r.PathValue("client")
	t := st.tenants[r.PathValue("tenant")]
	if t == nil {
		return nil, missingError("there is no tenant " + quote(r.PathValue("tenant")))
	}
	d := st.device(t, id)
	if d == nil {
		return nil, missingError("the tenant " + t.id + " has no device " + quote(id))
	}
	_, a, err := s.kept(t.id, d.account)
	if err != nil {
		return nil, err
	}
	d = st.device(t, id)
	switch order.Status {
	case "":
	case enabled, disabled:
		d.status = order.Status
	default:
		return nil, fmt.Errorf("status is %q; it can be ENABLED or DISABLED", order.Status)
	}
	switch order.Activity {
	case "":
	case active, inactive:
		d.activity = order.Activity
	default:
		return nil, fmt.Errorf("activity is %q; it can be ACTIVE or INACTIVE", order.Activity)
	}
	if order.Approved != nil {
		d.approved = *order.Approved
	}
	if order.Deleted != nil {
		d.deleted = *order.Deleted
	}
	a.recount()
	return s.viewAccount(a), nil
}
