package threshold

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// percentileLike is how other tools write percentiles.
var percentileLike = regexp.MustCompile(`^[pP]\d+(\.\d+)?`)

// times and counts are what other tools mean by one name.
var (
	times  = []string{"p(x)", "avg", "min", "max"}
	counts = []string{"requests", "rate"}
)

// otherNames are what other tools call the metrics: k6, Gatling, Locust, Artillery, JMeter and vegeta.
var otherNames = map[string][]string{
	"mean": {"avg"}, "average": {"avg"}, "median": {"med"}, "minimum": {"min"}, "maximum": {"max"},
	"latency": times, "latencies": times, "response": times, "response_time": times, "responsetime": times, "duration": times,
	"avg_response_time": {"avg"}, "response_time_percentile": {"p(x)"},
	"failed": {"errors"}, "failures": {"errors"}, "fail": {"errors"}, "fail_ratio": {"errors"}, "failedrequests": {"errors"}, "success": {"errors"},
	"successfulrequests": {"errors"}, "throughput": {"rate", "goodput"}, "rps": {"rate"}, "request_rate": {"rate"},

	"http_req_duration": times, "http_req_waiting": {"service.p(x)"}, "http_req_blocked": {"service.p(x)"},
	"http_req_connecting": {"service.p(x)"}, "http_req_sending": {"service.p(x)"}, "http_req_receiving": {"service.p(x)"},
	"http_req_tls_handshaking": {"service.p(x)"}, "grpc_req_duration": times, "iteration_duration": times,
	"group_duration": {"step(name).p(x)"}, "http_req_failed": {"errors"}, "http_reqs": counts, "iterations": counts,
	"dropped_iterations": {"dropped"}, "vus": {"in_flight"}, "vus_max": {"in_flight"}, "value": {"metric(name).last"},
}

// percentileHint proposes how a percentile is written.
func percentileHint(argument string) string {
	if number := strings.TrimSuffix(argument, "%"); number != argument {
		return fmt.Sprintf("; did you mean \"p(%s)\"?", strings.TrimSpace(number))
	}
	return ""
}

// misplaced says what is wrong with a word on the left side.
func misplaced(w word) error {
	switch {
	case w.name == "p":
		return errors.New("p wants a number, as in p(99)")
	case w.name == "check" && w.called:
		return fmt.Errorf("check(%s) is compared as it is, as in check(%s)>99%%", w.argument, w.argument)
	case slices.Contains(scopeNames, w.name):
		return fmt.Errorf("%s is out of place; thresholds are like step(name).p(99)<1s, tag(key=value).errors<1%%, check(name)>99%%, metric(name)>=10, service.avg<1s, late.max<1s", w.name)
	case metrics[w.name].units != nil:
		return fmt.Errorf("%s takes no argument", w.name)
	case percentileLike.FindString(w.name) == w.name:
		return fmt.Errorf("unknown metric %q; did you mean \"p(%s)\"?", w.name, w.name[1:])
	}
	return unknownMetric(w.name)
}

var scopeNames = []string{"step", "tag", "check", "metric", "service", "late"}

// unknownMetric is the error about a metric that does not exist.
func unknownMetric(name string) error {
	bare, _, _ := strings.Cut(strings.ToLower(name), "{") // k6 writes tags in braces
	if others := otherNames[bare]; others != nil {
		example := ""
		if strings.Contains(others[0], "(x)") {
			example = ", as in p(95)<1s"
		}
		return fmt.Errorf("unknown metric %q; did you mean \"%s\"%s?", name, strings.Join(others, `" or "`), example)
	}
	return text.Unknown("metric", name, append(text.SortedKeys(metrics), scopeNames...))
}
