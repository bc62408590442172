package k6_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/k6"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

func ExampleExport() {
	browse := k6.Request{Name: "browse", URL: "https://shop.example.com/items"}
	s := load.Scenario{
		Traffic:    traffic.Users(10).For(time.Minute),
		Steps:      []load.Step{browse.Step(http.DefaultClient, 1)},
		Pacing:     time.Second,
		Thresholds: []string{"p(95)<250ms"},
	}
	var script strings.Builder
	if err := k6.Export(&script, s, browse); err != nil {
		fmt.Println(err)
	}
	options, _, _ := strings.Cut(script.String(), "\n\n/**\n")
	_, options, _ = strings.Cut(options, "options = ")
	fmt.Println(options)

	s.Retry = load.Retry{Max: 2}
	fmt.Println(k6.Export(io.Discard, s, browse))
	// Output:
	// {
	//   "scenarios": {
	//     "load": {
	//       "duration": "60000ms",
	//       "executor": "constant-vus",
	//       "gracefulStop": "30000ms",
	//       "vus": 10
	//     }
	//   },
	//   "thresholds": {
	//     "http_req_duration": [
	//       {
	//         "threshold": "p(95)\u003c250",
	//         "abortOnFail": false
	//       }
	//     ]
	//   }
	// };
	// k6: Scenario.Retry: k6 repeats no requests
}
