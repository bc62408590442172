package k6

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-qtests/qtests/qtests/load/threshold"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// limit is a threshold as k6 has one.
type limit struct {
	Threshold      string `json:"threshold"`
	AbortOnFail    bool   `json:"abortOnFail"`
	DelayAbortEval string `json:"delayAbortEval,omitempty"`
}

// thresholds are those of the scenario, by the metric of k6.
func (x *export) thresholds() map[string][]limit {
	out := map[string][]limit{}
	for _, text := range x.Thresholds {
		all, err := threshold.ParseAll(text)
		if err != nil {
			x.errs = append(x.errs, err)
		}
		for _, t := range all {
			x.addLimit(out, t)
		}
	}
	for _, t := range x.Limits {
		if err := t.Validate(); err != nil {
			x.errs = append(x.errs, err)
		} else {
			x.addLimit(out, t)
		}
	}
	return out
}

// addLimit adds a threshold to those of its metric, or refuses it.
func (x *export) addLimit(out map[string][]limit, t threshold.Threshold) {
	metric, expression, why := x.threshold(t)
	if why != "" {
		x.refuse(fmt.Sprintf("threshold %q", t), "%s", why)
		return
	}
	l := limit{Threshold: expression, AbortOnFail: t.Abort}
	if t.AbortAfter > 0 {
		l.DelayAbortEval = milliseconds(t.AbortAfter)
	}
	out[metric] = append(out[metric], l)
}

// threshold returns the metric and the expression of a threshold, or why there is none.
func (x *export) threshold(t threshold.Threshold) (metric, expression, why string) {
	switch {
	case t.Every > 0:
		return "", "", "k6 judges a run as a whole, and no windows"
	case t.Own != "":
		return "", "", "the metric is one of Go code"
	case t.Late:
		return "", "", "k6 does not say how late requests start"
	}
	scope, why := x.scope(t)
	if why != "" {
		return "", "", why
	}
	switch t.Metric {
	case "avg", "min", "max", "med":
		return x.time(t, t.Metric, scope)
	case "p":
		return x.time(t, fmt.Sprintf("p(%g)", t.Percentile), scope)
	}
	return count(t, scope)
}

// time is threshold for times.
func (x *export) time(t threshold.Threshold, aggregate, scope string) (metric, expression, why string) {
	if !t.Service && x.Traffic.Kind() != traffic.Closed {
		return "", "", "it counts from the instant at which a request was due, which k6 does not know: write service." + t.Metric
	}
	return "http_req_duration" + scope, fmt.Sprintf("%s%s%g", aggregate, t.Op, t.Value*1000), ""
}

// count is threshold for counts, shares and rates.
func count(t threshold.Threshold, scope string) (metric, expression, why string) {
	switch m := t.Metric; {
	case m == "errors" && t.Unit == threshold.Percent:
		return "http_req_failed" + scope, fmt.Sprintf("rate%s%g", t.Op, t.Value/100), ""
	case m == "errors" && t.Unit == threshold.Count && t.Value == 0 && slices.Contains([]string{"==", "<="}, t.Op):
		return "http_req_failed" + scope, "rate==0", ""
	case m == "errors":
		return "", "", "k6 knows the share of the errors, and neither their number nor their rate: write errors<1%"
	case m == "checks" && t.Unit == threshold.Percent:
		return "checks" + scope, fmt.Sprintf("rate%s%g", t.Op, t.Value/100), ""
	case (m == "count" || m == "requests") && t.Unit == threshold.Count:
		return "http_reqs" + scope, fmt.Sprintf("count%s%g", t.Op, t.Value), ""
	case m == "rate" && t.Unit == threshold.PerSecond:
		return "http_reqs" + scope, fmt.Sprintf("rate%s%g", t.Op, t.Value), ""
	case m == "dropped" && t.Unit == threshold.Count:
		return "dropped_iterations" + scope, fmt.Sprintf("count%s%g", t.Op, t.Value), ""
	case m == "dropped" && t.Unit == threshold.PerSecond:
		return "dropped_iterations" + scope, fmt.Sprintf("rate%s%g", t.Op, t.Value), ""
	}
	return "", "", "k6 does not count " + t.Metric + " in this unit"
}

// scope is the tags that a threshold is on.
func (x *export) scope(t threshold.Threshold) (tags, why string) {
	key, value := "", ""
	switch {
	case t.Step != "":
		if !slices.ContainsFunc(x.requests, func(r Request) bool { return r.Name == t.Step }) {
			return "", fmt.Sprintf("no request is called %q", t.Step)
		}
		key, value = "step", t.Step
	case t.Tag != "":
		key, value, _ = strings.Cut(t.Tag, "=")
	case t.Check != "":
		key, value = "check", t.Check
	default:
		return "", ""
	}
	if strings.ContainsAny(key+value, "{},:\"") {
		return "", fmt.Sprintf("k6 reads no %s:%s with one of the characters {},:\" as tags", key, value)
	}
	return fmt.Sprintf("{%s:%s}", key, value), ""
}
