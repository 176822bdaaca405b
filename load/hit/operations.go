package hit

// Names of operations as they stand in load.json, in mixes and in limits.
const (
	OpSignOn      = "signon"
	OpSignOnFirst = "signon-first"
	OpRefresh     = "refresh"
	OpDiscover    = "discover"
	OpSignOut     = "signout"
	OpMint        = "mint"
)
