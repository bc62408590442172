package accesslog_test

import (
	"fmt"
	"strings"

	"github.com/go-qtests/qtests/qtests/load/accesslog"
)

func ExampleRead() {
	log, err := accesslog.Read("access.log", strings.NewReader(
		`10.0.0.1 - - [17/May/2015:10:05:00 +0000] "GET / HTTP/1.1" 200 512`+"\n"+
			`{"time":"2015-05-17T10:05:04Z","method":"POST","path":"/orders","status":201}`+"\n"+
			`stdout - - [17/May/2015:10:05:09 +0000] "GET / HTTP/1.1" 200 512`+"\n"))
	fmt.Println(log, err)
	fmt.Println(log.Entries[1])
	// Output:
	// 2 entries from 2015-05-17T10:05:00Z to 2015-05-17T10:05:04Z, 1 lines skipped, 0 out of order
	// 	access.log:3: "stdout" in the place of the client is neither an address nor a name; accepted before the time are: "client ident user", "host:port client ident user", "host address ident user", and a list of addresses for the client: "stdout - - [17/May/2015:10:05:09 +0000] \"GET / HTTP/1.1\" 200 512" <nil>
	// POST /orders 201 0
}
