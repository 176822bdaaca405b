package mock

import (
	"net/http"
	"slices"
)

const noService = "no service was found"

// serviceDiscovery tells the services of a tenant.
func (s *Server) serviceDiscovery(c *call) reply {
	if refused := c.findTenant(); refused != nil {
		return *refused
	}
	behaviour := &c.set.behaviour
	switch token := c.header("token"); {
	case token == "" && !c.enforces(ruleTokenFree):
		return c.refuse(ruleToken, http.StatusUnauthorized, 0, "the header token is missing")
	case token != "" && behaviour.DiscoveryReadsToken:
		if _, err := s.bearer(c); err != nil {
			return c.refuse(ruleToken, http.StatusNotFound, 0, "no service was found for this token")
		}
	}
	if len(c.tenant.services) == 0 {
		return c.refuse(ruleKnownService, http.StatusNotFound, 0, noService)
	}
	services := []any{}
	for _, service := range c.tenant.services {
		services = append(services, behaviour.describe(service))
	}
	if behaviour.ExtraServices {
		services = append(services, object{{"authServiceName", "Beta SSO"}, {"displayAttributes", object{}},
			{"status", "beta"},
			{"endpoints", []any{object{{"name", "WHOAMI"}, {"path", "/whoAmI"}, {"parameterProperties", []any{}}, {"version", 2}}}}})
	}
	if behaviour.ReversedDiscovery {
		slices.Reverse(services)
	}
	return jsonReply(http.StatusOK, object{{"availableServices", services}})
}

func (c *Behaviour) describe(service Service) object {
	endpoints := []any{}
	for _, e := range service.Endpoints {
		parameters := []any{}
		for _, p := range e.Parameters {
			parameters = append(parameters, object{{"name", p.Name}, {"mandatory", p.Mandatory},
				{"isPassword", p.Password}})
		}
		path := e.Path
		if c.AbsolutePaths {
			path = "/ags" + path
		}
		endpoints = append(endpoints, object{{"name", e.Name}, {"path", path}, {"parameterProperties", parameters}})
	}
	if c.ReversedDiscovery {
		slices.Reverse(endpoints)
	}
	described := object{{"authServiceName", service.Name}}
	if !c.NoDisplayAttributes {
		described = append(described,
			member{"displayAttributes", object{{"logo", service.Logo}, {"name", service.DisplayName}}})
	}
	return append(described, member{"endpoints", endpoints})
}
