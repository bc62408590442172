package accesslog

import (
	"fmt"
	"time"
)

// An Entry is one request of a recorded access log.
type Entry struct {
	// At is when the line says that the request came, or, for most formats, that it was answered.
	At time.Time
	// Client is the address or the name of the client, "" where it is not known. The package doc says
	// which one of several it is.
	Client string
	// Method is the method, "GET" where JSON or columns do not tell it.
	Method string
	// Path is the path with its query, as the line has it.
	Path string
	// Status is the status of the answer, from 100 to 999, or 0 where there was none.
	Status int
	// Bytes is the size of the answer, 0 where it is not known.
	Bytes int64
}

// String returns the entry as a log line reads: "GET /path 200 1234".
func (e Entry) String() string {
	return fmt.Sprintf("%s %s %d %d", e.Method, e.Path, e.Status, e.Bytes)
}
