package accesslog

import (
	"fmt"
	"time"
)

// An Entry is one request of a recorded access log.
type Entry struct {
	At     time.Time
	Client string
	Method string
	Path   string
	Status int
	Bytes  int64
}

// String returns the entry as a log line reads: "GET /path 200 1234".
func (e Entry) String() string {
	return fmt.Sprintf("%s %s %d %d", e.Method, e.Path, e.Status, e.Bytes)
}
