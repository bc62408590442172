package rules

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"time"

	"github.com/go-qtests/qtests/qtests/monitor"
)

// FromEnv returns a monitor.Config with the interval and the three rules that the
// environment asks for:
//
//	MONITORING_ENABLED    true, false   default true; false is Config.Disabled
//	MONITORING_INTERVAL   milliseconds  default 10000, from 1 to 86400000
//	ALERT_ERROR_RATE      percent       default 5, from 0 to 100
//	ALERT_RESPONSE_TIME   milliseconds  default 1000, more than 0
//	ALERT_MEMORY_USAGE    percent       default 85, more than 0, up to 100
//
// The rules are HighErrorRate and SlowResponses, over the last minute and the
// 95th percentile of what package load measures, and HighMemoryUsage, over what
// Config.Runtime measures, which FromEnv switches on: like every reading of the
// real process it raises no alert under a fake clock unless
// Config.AlertOnReal says so. An empty variable is one that is not set.
// The error names every variable that does not parse or is out of range, with
// its value.
func FromEnv() (monitor.Config, error) { return fromEnv(os.Getenv) }

func fromEnv(getenv func(string) string) (monitor.Config, error) {
	var errs []error
	enabled := true
	if s := getenv("MONITORING_ENABLED"); s != "" {
		var err error
		if enabled, err = strconv.ParseBool(s); err != nil {
			errs = append(errs, fmt.Errorf("rules: MONITORING_ENABLED: %q is neither true nor false", s))
		}
	}
	number := func(name string, value, low, high float64, above bool) float64 {
		s := getenv(name)
		if s == "" {
			return value
		}
		v, err := strconv.ParseFloat(s, 64)
		switch {
		case err != nil || math.IsNaN(v):
			errs = append(errs, fmt.Errorf("rules: %s: %q is not a number", name, s))
		case v < low || v > high || above && v == low:
			errs = append(errs, fmt.Errorf("rules: %s: %s is out of range, which is %v to %v", name, s, low, high))
		}
		return v
	}
	interval := number("MONITORING_INTERVAL", 10_000, 1, 86_400_000, false)
	if interval != math.Trunc(interval) {
		errs = append(errs, fmt.Errorf("rules: MONITORING_INTERVAL: %v is not a whole number of milliseconds", interval))
	}
	errorRate := number("ALERT_ERROR_RATE", 5, 0, 100, false)
	response := number("ALERT_RESPONSE_TIME", 1000, 0, math.MaxFloat64, true)
	memory := number("ALERT_MEMORY_USAGE", 85, 0, 100, true)
	if err := errors.Join(errs...); err != nil {
		return monitor.Config{}, err
	}
	text := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	return monitor.Config{
		Disabled: !enabled,
		Interval: time.Duration(interval) * time.Millisecond,
		Runtime:  true,
		Rules: []monitor.Rule{{
			Name:     "HighErrorRate",
			Expr:     `100 * sum(rate(load_requests_total{result="error"}[1m])) / sum(rate(load_requests_total[1m])) > ` + text(errorRate),
			Severity: "critical",
			Summary:  `{{ $value | humanize }}% of the requests fail, more than ` + text(errorRate) + `%`,
		}, {
			Name:     "SlowResponses",
			Expr:     `1000 * histogram_quantile(0.95, sum by (le) (rate(load_response_seconds_bucket[1m]))) > ` + text(response),
			Severity: "warning",
			Summary:  `the 95th percentile is {{ $value | humanize }} ms, more than ` + text(response) + ` ms`,
		}, {
			Name:     "HighMemoryUsage",
			Expr:     `100 * real_memory_used_bytes / real_memory_limit_bytes > ` + text(memory),
			Severity: "warning",
			Summary:  `{{ $value | humanize }}% of the memory is in use, more than ` + text(memory) + `%`,
		}},
	}, nil
}
