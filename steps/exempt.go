package steps

// exempt lists the requirements that no scenario covers, since only a load can show them: they are judged by the load of a gate.
var exempt = map[string]string{
	"ERR-12":  "judged by the load of a gate: answers 429 and 503 appear under load",
	"LOAD-01": "judged by the load of a gate: their sign-ons are n-th sign-ons",
	"LOAD-02": "judged by the load of a gate: each virtual client has its own session token",
	"LOAD-03": "judged by the load of a gate: each virtual client refreshes with the token it was given last",
	"LOAD-04": "judged by the load of a gate: throughput, errors and percentiles of each operation",
	"LOAD-05": "judged by the load of a gate: success is the wanted status and a right body",
	"LOAD-06": "judged by the load of a gate: tokens are judged by sampling",
	"LOAD-07": "judged by the load of a gate: rates follow from clients and lifetimes",
}
