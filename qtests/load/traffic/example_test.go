package traffic_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/load/accesslog"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

func Example() {
	morning := traffic.Rate(10).To(200, time.Hour).For(30 * time.Minute).Poisson()
	fmt.Println(morning)
	fmt.Println(morning.Duration())
	// Output:
	// 10/s to 200/s in 1h0m0s, 200/s for 30m0s, exponential gaps
	// 1h30m0s
}

func ExampleProfile_Arrivals() {
	err := traffic.Rate(1).For(2*time.Second).Jump(4).For(time.Second).Arrivals(nil, func(at time.Duration) bool {
		fmt.Println(at)
		return true
	})
	fmt.Println(err)
	// Output:
	// 1s
	// 2s
	// 2.25s
	// 2.5s
	// 2.75s
	// 3s
	// <nil>
}

func ExampleReplay() {
	log, err := accesslog.Read("access.log", strings.NewReader(
		`10.0.0.1 - - [17/May/2015:10:05:00 +0000] "GET / HTTP/1.1" 200 512`+"\n"+
			`10.0.0.2 - - [17/May/2015:10:05:04 +0000] "GET /about HTTP/1.1" 200 734`+"\n"))
	if err != nil {
		panic(err)
	}
	fmt.Println(traffic.Replay(log.Entries).Speed(2))
	// Output:
	// replay of 2 requests, 2015-05-17 10:05:00 to 2015-05-17 10:05:04, speed ×2
}
