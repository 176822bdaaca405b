package mock

import (
	"cmp"
	"net/http"
	"strings"
)

// register activates a TVkey device. It registers the account's consent; the page mentions no device record.
func (s *Server) register(c *call) reply {
	if refused := c.open(false); refused != nil {
		return *refused
	}
	if kind := strings.TrimPrefix(c.endpoint, "/register/"); c.service.endpoint(c.endpoint) == nil {
		c.endpoint = "/register/" + c.taken(nearRegisterType, kind, just("tvkey"))
	}
	if c.service.endpoint(c.endpoint) == nil {
		if c.enforces(ruleRegisterType) || !strings.HasPrefix(c.endpoint, "/register/") {
			return c.refuse(ruleRegisterType, cmp.Or(c.set.behaviour.UnknownType, http.StatusBadRequest), 0,
				"the service has no registration of this type")
		}
		c.endpoint = "/register/tvkey"
	}
	u, refused := s.credentials(c)
	if refused != nil {
		return *refused
	}
	if len(u.accounts) > 1 {
		return s.offerAccounts(c, u, deviceArgument{first: true}, true)
	}
	return s.registerAccount(c, u.accounts[0], deviceArgument{first: true})
}

func (s *Server) registerAccount(c *call, id string, argument deviceArgument) reply {
	if c.set.behaviour.RegisterBody == "tokens" {
		g, refused := s.signOnAccount(c, id, argument)
		if refused != nil {
			return *refused
		}
		return s.tokens(c, http.StatusCreated, g)
	}
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	a := s.state.account(c.tenant, id)
	if a == nil {
		return c.refuse(ruleKnownAccount, http.StatusForbidden, 0, "the account does not exist")
	}
	if refused := s.checkCaller(c); refused != nil {
		return *refused
	}
	if refused := s.checkAccount(c, a); refused != nil {
		return *refused
	}
	if c.set.behaviour.RegisterBody == "object" {
		return jsonReply(http.StatusCreated, object{{"registered", true}})
	}
	return emptyReply(http.StatusCreated)
}

// subsequentRegister finishes a registration for the account that was picked.
func (s *Server) subsequentRegister(c *call) reply {
	picked, token, refused := s.openPicked(c, true)
	if refused != nil {
		return *refused
	}
	answer := s.registerAccount(c, picked.account, picked.argument)
	if answer.refused == "" {
		s.usePicked(c, token)
	}
	return answer
}
