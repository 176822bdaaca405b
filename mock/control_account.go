package mock

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// kept finds an account that may be changed. The caller holds the mutex.
func (s *Server) kept(tenantID, id string) (*tenant, *account, error) {
	t := s.state.tenants[tenantID]
	if t == nil {
		return nil, nil, missingError("there is no tenant " + quote(tenantID))
	}
	a := s.state.account(t, id)
	if a == nil {
		return nil, nil, missingError("the tenant " + tenantID + " has no account " + quote(id))
	}
	if !s.state.keep(t, a) {
		return nil, nil, fmt.Errorf("the mock holds %d devices, as many as it may; start it with a higher limit",
			s.state.devices)
	}
	return t, a, nil
}

type groupLimit struct {
	Class string `json:"class"`
	Limit int    `json:"limit"`
}

type accountOrder struct {
	Tenant      string      `json:"tenant"`
	Status      string      `json:"status"`
	DeviceLimit *int        `json:"deviceLimit"`
	GroupLimit  *groupLimit `json:"groupLimit"`
}

func (o accountOrder) apply(a *account) error {
	switch o.Status {
	case "":
	case active, suspended, restricted, cancelled:
		a.status = o.Status
		a.troubled = a.troubled || o.Status != active
		a.wasCancelled = a.wasCancelled || o.Status == cancelled
	default:
		return fmt.Errorf("status is %q; it can be ACTIVE, SUSPENDED, RESTRICTED or CANCELLED", o.Status)
	}
	if o.DeviceLimit != nil {
		if *o.DeviceLimit < 0 {
			return fmt.Errorf("deviceLimit is %d; it cannot be negative", *o.DeviceLimit)
		}
		a.deviceLimit = *o.DeviceLimit
	}
	if o.GroupLimit != nil {
		if o.GroupLimit.Class == "" || o.GroupLimit.Limit < 0 {
			return fmt.Errorf("groupLimit needs a class and a limit of 0 or more")
		}
		a.groupClass, a.groupLimit = o.GroupLimit.Class, o.GroupLimit.Limit
	}
	return nil
}

func (s *Server) controlNewAccount(r *http.Request) (any, error) {
	order := accountOrder{Tenant: firstTenant}
	if err := readControl(r, &order); err != nil {
		return nil, err
	}
	st := &s.state
	st.mutex.Lock()
	defer st.mutex.Unlock()
	t := st.tenants[order.Tenant]
	if t == nil {
		return nil, missingError("there is no tenant " + quote(order.Tenant))
	}
	if len(t.accounts) >= st.maxDevices {
		return nil, fmt.Errorf("the mock holds %d accounts, as many as it may", len(t.accounts))
	}
	st.newAccounts++
	id := "N" + strconv.Itoa(st.newAccounts)
	a := &account{id: id, status: active, deviceLimit: 5, provider: &firstProvider}
	if err := order.apply(a); err != nil {
		return nil, err
	}
	a.first = a.status
	t.accounts[id] = a
	name, password := "user-"+id, st.text(16)
	t.users[name] = user{password, []string{id}}
	return map[string]string{"accountId": id, "username": name, "password": password}, nil
}

type accountView struct {
	AccountID   string       `json:"accountId"`
	Status      string       `json:"status"`
	DeviceLimit int          `json:"deviceLimit"`
	GroupLimit  *groupLimit  `json:"groupLimit,omitempty"`
	Now         string       `json:"now"`
	Devices     []deviceView `json:"devices"`
}

func (s *Server) viewAccount(a *account) accountView {
	view := accountView{a.id, a.status, a.deviceLimit, nil,
		s.now(s.setting.Load()).Add(a.offset).UTC().Format(time.RFC3339Nano), []deviceView{}}
	if a.groupClass != "" {
		view.GroupLimit = &groupLimit{a.groupClass, a.groupLimit}
	}
	for _, d := range a.devices {
		one := deviceView{d.id, d.status, d.activity, d.approved, d.deleted, nil}
		if d.class != "" {
			one.PlayoutDeviceClass = &d.class
		}
		view.Devices = append(view.Devices, one)
	}
	return view
}

func (s *Server) controlAccount(r *http.Request) (any, error) {
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	t := s.state.tenants[r.PathValue("tenant")]
	if t == nil {
		return nil, missingError("there is no tenant " + quote(r.PathValue("tenant")))
	}
	a := s.state.account(t, r.PathValue("account"))
	if a == nil {
		return nil, missingError("the tenant " + t.id + " has no account " + quote(r.PathValue("account")))
	}
	return s.viewAccount(a), nil
}

func (s *Server) controlChangeAccount(r *http.Request) (any, error) {
	var order accountOrder
	if err := readControl(r, &order); err != nil {
		return nil, err
	}
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	_, a, err := s.kept(r.PathValue("tenant"), r.PathValue("account"))
	if err != nil {
		return nil, err
	}
	if err := order.apply(a); err != nil {
		return nil, err
	}
	return s.viewAccount(a), nil
}
