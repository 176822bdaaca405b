package hit

// The kinds of wrong answers.
const (
	KindStatus    = "status"    // not the wanted status, or a refusal inside a wanted one
	KindIdentity  = "identity"  // an answer that belongs to somebody else
	KindShape     = "shape"     // a body that is not the one of the call
	KindToken     = "token"     // a token that breaks a rule
	KindDuplicate = "duplicate" // something that must be unique came twice
	KindThrottled = "throttled" // 429, which says so by itself (RFC 6585 section 4), or 503 with Retry-After
	KindTimeout   = "timeout"
	KindRefused   = "refused"
	KindReset     = "reset"
	KindTLS       = "tls"
	KindMachine   = "machine" // this machine could open no connection: out of descriptors or ports
	KindOther     = "other"
)

// MaxExamples of each kind of wrong answer are kept for each operation.
const MaxExamples = 3

// SetUp stands in place of an operation for wrong answers before the clock started. They are in no figure, and fail the
// run.
const SetUp = "set-up"
