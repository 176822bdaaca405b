package steps

// exempt lists the requirements that no scenario covers, with the reason.
var exempt = map[string]string{
	"ERR-12":  "answers 429 and 503 appear under load; the load run records them",
	"LOAD-01": "a property of load runs: their sign-ons are n-th sign-ons",
	"LOAD-02": "a property of load runs: each virtual client has its own session token",
	"LOAD-03": "a property of load runs: each virtual client refreshes with the token it was given last",
	"LOAD-04": "a property of load reports",
	"LOAD-05": "a property of load runs: success is the wanted status and a right body",
	"LOAD-06": "a property of load runs: tokens are judged by sampling",
	"LOAD-07": "a property of load runs: rates follow from clients and lifetimes",
}
