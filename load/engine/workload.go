package engine

import (
	"agstest/load/hit"
)

// Workload hands out the requests of virtual clients and judges their answers. Begin and End are called by many
// goroutines at once; the End of a request follows its Begin on the same goroutine. Everything a Request points to
// stays untouched from Begin to End.
type Workload interface {
	// Operations names the operations that the workload sends, in the order of Request.Operation.
	Operations() []string
	// Begin prepares the request of hit seq, its number in the whole schedule (so that the shards of a run mix alike).
	// It never waits: where no client is ready it says so with a false, and the engine tries again until one is; that
	// wait counts in the response time of the hit and is reported as starvation.
	Begin(seq uint64, request *hit.Request) bool
	// End judges the answer and keeps the data that the client needs for its next request.
	End(request *hit.Request, answer *hit.Answer) hit.Outcome
}

// Finite is a workload that can run out of clients, as those without an unused session token retire. The engine asks it
// when Begin says false, and ends the run, marked partial, with the error where there is one.
type Finite interface {
	// Exhausted returns nil while any client can still become ready for hit seq; otherwise the reason why no client can.
	Exhausted(seq uint64) error
}

// Names has the names of the virtual clients.
type Names interface {
	// ClientName names the client of a number, from 1, in reports: without ids of others that are not to be shown.
	ClientName(number uint32) string
	// ClientIDs are the ids of its account and its device.
	ClientIDs(number uint32) []string
}
