package traffic

// A Kind says what decides when a request of a profile comes.
type Kind int

// The kinds of profiles.
const (
	// None is the kind of a Profile that no function made.
	None Kind = iota
	// Open is a rate: requests come whether or not earlier ones have been answered.
	Open
	// Replayed is a recorded log: requests come at its instants.
	Replayed
	// Closed is a number of users. Each waits for an answer before the next
	// request.
	Closed
)
