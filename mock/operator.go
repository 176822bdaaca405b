package mock

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The calls in this file are those by which an operator changes accounts (the pages "Change an account's status",
// "Remove all devices from an account" and "Accessing operator APIs using Keycloak"). They take the control token as
// the token of an operator, or one that the client agstest gets for it as its secret.

// firstProvider is a member of an account that a change of its status must not lose.
var firstProvider = "provider-1"

const (
	operatorAccountPath = "/adm/v1/accounts/"
	operatorClient      = "agstest"
	operatorTokenLife   = 300 * time.Second // as the page says
)

// operatorRoute finds the call of an operator below a path with an id.
func operatorRoute(r *http.Request) (route, bool) {
	id, isAccount := strings.CutPrefix(r.URL.Path, operatorAccountPath)
	if !isAccount || id == "" || strings.Contains(id, "/") {
		return route{}, false
	}
	if r.Method == http.MethodPut {
		return route{operatorAccount, http.MethodPut, (*Server).operatorChangesAccount}, true
	}
	return route{operatorAccount, http.MethodGet, (*Server).operatorReadsAccount}, true
}

// operatorToken gives the token of a client (RFC 6749 section 4.4).
func (s *Server) operatorToken(c *call) reply {
	form, err := url.ParseQuery(string(c.raw))
	switch {
	case err != nil || form.Get("grant_type") != "client_credentials":
		return jsonReply(http.StatusBadRequest, object{{"error", "unsupported_grant_type"}})
	case form.Get("client_id") != operatorClient || subtle.ConstantTimeCompare([]byte(form.Get("client_secret")),
		[]byte(s.secret.control)) != 1:
		return jsonReply(http.StatusUnauthorized, object{{"error", "invalid_client"}})
	}
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	token, now := s.state.text(48), s.now(c.set)
	if !s.state.operators.put(token, struct{}{}, now.Add(operatorTokenLife), now) {
		return jsonReply(http.StatusServiceUnavailable, object{{"error", "temporarily_unavailable"}})
	}
	return jsonReply(http.StatusOK, object{{"access_token", token},
		{"expires_in", int(operatorTokenLife / time.Second)}, {"token_type", "Bearer"}})
}

// asOperator sees to the token and the tenant of an operator's call. The caller does not hold the mutex.
func (s *Server) asOperator(c *call) *reply {
	if refused := c.findTenant(); refused != nil {
		return refused
	}
	token, bearer := strings.CutPrefix(c.header("Authorization"), "Bearer ")
	if !bearer {
		return c.refusal(ruleToken, http.StatusForbidden, 0, "the token of an operator is missing")
	}
	if subtle.ConstantTimeCompare([]byte(token), []byte(s.secret.control)) == 1 {
		return nil
	}
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	if _, until, known := s.state.operators.get(token); !known || s.now(c.set).After(until) {
		return c.refusal(ruleToken, http.StatusForbidden, 0, "the token is not that of an operator")
	}
	return nil
}

// operatorAccountOf finds the account of the path. The caller holds the mutex.
func (s *Server) operatorAccountOf(c *call) (*account, *reply) {
	a := s.state.account(c.tenant, strings.TrimPrefix(c.request.URL.Path, operatorAccountPath))
	if a == nil {
		refused := jsonReply(http.StatusNotFound, object{{"message", "there is no such account"},
			{"code", http.StatusNotFound}, {"errorCode", http.StatusNotFound}})
		return nil, &refused
	}
	return a, nil
}

func (s *Server) operatorReadsAccount(c *call) reply {
	if refused := s.asOperator(c); refused != nil {
		return *refused
	}
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	a, refused := s.operatorAccountOf(c)
	if refused != nil {
		return *refused
	}
	var provider any
	if a.provider != nil {
		provider = *a.provider
	}
	return jsonReply(http.StatusOK, object{{"_id", a.id}, {"status", a.status}, {"accountProfileId", "DEFAULT"},
		{"providerId", provider}})
}

// operatorChangesAccount replaces an account as a whole: members that are left out become null. A cancelled account
// stays so.
func (s *Server) operatorChangesAccount(c *call) reply {
	if refused := s.asOperator(c); refused != nil {
		return *refused
	}
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	a, refused := s.operatorAccountOf(c)
	if refused != nil {
		return *refused
	}
	var order struct {
		Status     string  `json:"status"`
		ProviderID *string `json:"providerId"`
	}
	decoder := json.NewDecoder(bytes.NewReader(c.raw))
	if decoder.Decode(&order) != nil || !slices.Contains([]string{active, suspended, restricted, cancelled},
		order.Status) || a.status == cancelled && order.Status != cancelled {
		return jsonReply(http.StatusBadRequest, object{{"message", "the account cannot become so"},
			{"code", http.StatusBadRequest}, {"errorCode", http.StatusBadRequest}})
	}
	if !s.state.keep(c.tenant, a) {
		return c.refuse(ruleCapacity, http.StatusServiceUnavailable, 0, "the mock holds as many devices as it may")
	}
	_ = accountOrder{Status: order.Status}.apply(a)
	a.provider = order.ProviderID
	return jsonReply(http.StatusOK, object{{"matchedCount", 1}, {"modifiedCount", 1}})
}

// operatorClearsDevices removes all devices of an account.
func (s *Server) operatorClearsDevices(c *call) reply {
	if refused := s.asOperator(c); refused != nil {
		return *refused
	}
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	a := s.state.account(c.tenant, c.request.URL.Query().Get("accountUid"))
	if a == nil {
		return jsonReply(http.StatusNotFound, object{{"message", "there is no such account"},
			{"code", http.StatusNotFound}, {"errorCode", http.StatusNotFound}})
	}
	if !s.state.keep(c.tenant, a) {
		return c.refuse(ruleCapacity, http.StatusServiceUnavailable, 0, "the mock holds as many devices as it may")
	}
	deleted := 0
	for _, d := range a.devices {
		if !d.deleted {
			d.deleted = true
			deleted++
		}
	}
	a.recount()
	return jsonReply(http.StatusOK, object{{"deletedCount", deleted}})
}

// ofOperator tells the calls of this file.
func ofOperator(operation string) bool {
	return operation == operatorToken || operation == operatorAccount || operation == operatorDevices
}
