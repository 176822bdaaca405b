package mock

// Service is an authentication service that discovery offers.
type Service struct {
	Name        string // authServiceName, and so a value of x-auth-service-id
	DisplayName string
	Logo        string
	Endpoints   []Endpoint
}

// Endpoint is a call of a service with the parameters that it wants. Path is relative to /ags.
type Endpoint struct {
	Name       string
	Path       string
	Parameters []Parameter
}

// Parameter is one entry of parameterProperties.
type Parameter struct {
	Name      string
	Mandatory bool
	Password  bool
}

// defaultServices are the services of the fixtures' tenants: a plain one, the one of the page's sample with its other
// spelling of the parameters, and one whose name holds more than letters.
func defaultServices() []Service {
	return []Service{
		{"Operator SSO", "Operator sign-in", "https://assets.example.com/operator.png", defaultEndpoints("username", "password")},
		{"Customer Auth Service", "Customer Authentication", "http://customer.example.com/auth.jpg", defaultEndpoints("Username", "Password")},
		{"Partner Login (TV & Web)", "Partner", "https://partner.example.com/logo.svg", defaultEndpoints("username", "password")},
	}
}

func defaultEndpoints(username, password string) []Endpoint {
	credentials := []Parameter{{username, true, false}, {password, true, true}}
	hint := []Parameter{{username, false, false}}
	return []Endpoint{
		{"SIGNON", "/signOn", credentials},
		{"SUBSEQUENTSIGNON", "/subsequentSignOn", hint},
		{"GETSESSIONTOKEN", "/getSessionToken", []Parameter{{"OperatorAuthToken", true, true}}},
		{"SIGNONWITHSESSIONTOKEN", "/signOnWithSessionToken", []Parameter{{"sessionToken", true, true}}},
		{"REFRESH", "/refresh", hint},
		{"SIGNOUT", "/signOut", hint},
		{"REGISTER", "/register/tvkey", append(credentials[:2:2], Parameter{"challenge", false, false})},
		{"SUBSEQUENTREGISTER", "/subsequentRegister", hint},
	}
}

func (s *Service) endpoint(path string) *Endpoint {
	for i := range s.Endpoints {
		if s.Endpoints[i].Path == path {
			return &s.Endpoints[i]
		}
	}
	return nil
}
