package mock

import (
	"bytes"
	"cmp"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"agstest/ags"
)

// Control is the control interface: it moves the clock, makes and changes accounts and devices, and switches choices
// and faults, as JSON over HTTP. Serve it on another port than the service. Every call needs the header "Authorization:
// Bearer <ControlToken>".
func (s *Server) Control() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, answer func(r *http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			body, err := answer(r)
			status := http.StatusOK
			if err != nil {
				status = http.StatusBadRequest
				if _, missing := err.(missingError); missing {
					status = http.StatusNotFound
				}
				body = map[string]string{"message": err.Error()}
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(body)
		})
	}
	handle("GET /control/state", s.controlState)
	handle("GET /control/faults", func(*http.Request) (any, error) { return listFaults(), nil })
	handle("GET /control/choices", func(*http.Request) (any, error) { return namedChoices(), nil })
	handle("POST /control/clock", s.controlClock)
	handle("POST /control/accounts", s.controlNewAccount)
	handle("GET /control/accounts/{tenant}/{account}", s.controlAccount)
	handle("POST /control/accounts/{tenant}/{account}", s.controlChangeAccount)
	handle("POST /control/devices/{tenant}/{client}", s.controlChangeDevice)
	handle("POST /control/session-tokens", s.controlSessionToken)
	handle("GET /control/platform/{tenant}", s.controlPlatform)
	handle("POST /control/platform/{tenant}", s.controlPlatform)
	handle("POST /control/faults", func(r *http.Request) (any, error) { return s.controlNames(r, true) })
	handle("POST /control/choices", func(r *http.Request) (any, error) { return s.controlNames(r, false) })
	handle("POST /control/reset", func(*http.Request) (any, error) {
		s.Reset()
		return map[string]bool{"reset": true}, nil
	})
	mux.HandleFunc("GET /control/environment.yaml", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		w.Header().Set("Cache-Control", "no-store")
		query := r.URL.Query()
		_, _ = w.Write(s.Environment(query.Get("url"), cmp.Or(query.Get("control"), "http://"+r.Host), query.Get("ca")))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()[MarkHeader] = markValue
		token, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !isBearer || subtle.ConstantTimeCompare([]byte(token), []byte(s.secret.control)) != 1 {
			w.Header().Set("Www-Authenticate", `Bearer realm="agstest mock control"`)
			http.Error(w, `{"message":"the control interface wants the header Authorization: Bearer <control token>"}`,
				http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

type missingError string

func (e missingError) Error() string { return string(e) }

// Reset puts accounts, devices, clock, platform switches, choices and faults back to their state at start. Keys and
// standing tokens stay.
func (s *Server) Reset() {
	s.restore()
	s.state.mutex.Lock()
	choices, faults := s.state.choices, s.state.faults
	s.state.mutex.Unlock()
	s.apply(choices, faults)
}

// readControl reads a JSON body, refusing names that nobody knows.
func readControl(r *http.Request, into any) error {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return fmt.Errorf("reading the body: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("reading the body: %w", err)
	}
	return nil
}

func (s *Server) controlState(*http.Request) (any, error) {
	set := s.setting.Load()
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	return map[string]any{"now": s.now(set).UTC().Format(time.RFC3339Nano), "faults": set.faults,
		"choices": set.choices,
		"devices": s.state.devices, "maxDevices": s.state.maxDevices, "refusedDevices": s.state.refused,
		"sessionTokens": len(s.state.sessions.entries)}, nil
}

func (s *Server) controlClock(r *http.Request) (any, error) {
	var order struct {
		Advance, Tenant, Account string
		Reset                    bool
	}
	if err := readControl(r, &order); err != nil {
		return nil, err
	}
	var by time.Duration
	if order.Advance != "" {
		var err error
		if by, err = time.ParseDuration(order.Advance); err != nil {
			return nil, fmt.Errorf("advance is not a duration such as 3600s: %w", err)
		}
	}
	st := &s.state
	st.mutex.Lock()
	defer st.mutex.Unlock()
	now := s.now(s.setting.Load())
	if order.Account != "" {
		_, a, err := s.kept(cmp.Or(order.Tenant, firstTenant), order.Account)
		if err != nil {
			return nil, err
		}
		a.offset += by
		if order.Reset {
			a.offset = 0
		}
		now = now.Add(a.offset)
	} else {
		st.offset += by
		if order.Reset {
			st.offset = 0
			for _, t := range st.tenants {
				for _, a := range t.accounts {
					a.offset = 0
				}
			}
		}
		now = s.now(s.setting.Load())
	}
	return map[string]string{"now": now.UTC().Format(time.RFC3339Nano)}, nil
}

func (s *Server) controlSessionToken(r *http.Request) (any, error) {
	var order struct{ Tenant, AccountID, ExpiresIn string }
	if err := readControl(r, &order); err != nil {
		return nil, err
	}
	life := 10 * time.Minute
	if order.ExpiresIn != "" {
		var err error
		if life, err = time.ParseDuration(order.ExpiresIn); err != nil {
			return nil, fmt.Errorf("expiresIn is not a duration such as 60s: %w", err)
		}
	}
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	t := s.state.tenants[cmp.Or(order.Tenant, firstTenant)]
	if t == nil {
		return nil, missingError("there is no tenant " + quote(order.Tenant))
	}
	a := s.state.account(t, order.AccountID)
	if a == nil {
		return nil, missingError("the tenant " + t.id + " has no account " + quote(order.AccountID))
	}
	set := s.setting.Load()
	now := s.now(set)
	expires := now.Add(a.offset + life)
	told, key := s.told(set, ags.SignOnWithSessionToken, s.state.text(26), t.id, a.id, expires)
	if !s.state.sessions.put(key, session{tenant: t.id, account: a.id}, expires, now) {
		return nil, fmt.Errorf("the mock holds as many session tokens as it may")
	}
	return map[string]string{"sessionToken": told}, nil
}

func (s *Server) controlPlatform(r *http.Request) (any, error) {
	var order struct{ VPNBlocking, GeoBlocking, GeoFiltering *bool }
	if r.Method == http.MethodPost {
		if err := readControl(r, &order); err != nil {
			return nil, err
		}
	}
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	t := s.state.tenants[r.PathValue("tenant")]
	if t == nil {
		return nil, missingError("there is no tenant " + quote(r.PathValue("tenant")))
	}
	for _, change := range []struct {
		given *bool
		kept  *bool
	}{{order.VPNBlocking, &t.platform.VPNBlocking}, {order.GeoBlocking, &t.platform.GeoBlocking}, {order.GeoFiltering,
		&t.platform.GeoFiltering}} {
		if change.given != nil {
			*change.kept = *change.given
		}
	}
	return t.platform, nil
}

func (s *Server) controlNames(r *http.Request, faults bool) (any, error) {
	var order struct{ Names []string }
	if err := readControl(r, &order); err != nil {
		return nil, err
	}
	set := s.setting.Load()
	choiceNames, faultNames := order.Names, set.faults
	if faults {
		choiceNames, faultNames = set.choices, order.Names
	}
	h, f, err := named(choiceNames, faultNames)
	if err != nil {
		return nil, err
	}
	s.apply(h, f)
	now := s.setting.Load()
	return map[string][]string{"faults": now.faults, "choices": now.choices}, nil
}

func listFaults() any {
	var list []map[string]string
	for _, f := range Faults() {
		list = append(list, map[string]string{"name": f.Name, "requirement": f.Requirement, "summary": f.Summary})
	}
	return list
}

func namedChoices() any {
	var list []map[string]string
	for _, h := range Choices() {
		list = append(list, map[string]string{"name": h.Name, "summary": h.Summary})
	}
	return list
}
