package bot

import "time"

// Service is what is known of somebody else's service whose commands are ours,
// for those who look after it.
type Service struct {
	Prefix   string    // first word of its commands
	URL      string    // of its listing
	ReadAt   time.Time // when the listing was last read, or found unchanged; zero: never
	NextAt   time.Time
	ETag     string // of the listing; "": it offers none
	Err      string // why the last look failed; "": it did not
	Methods  []string
	Rejected []Rejected
}

// Rejected is a method that is offered and cannot be used.
type Rejected struct{ Method, Why string }
