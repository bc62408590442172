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
	env := environment{getenv: getenv}
	enabled := env.truth("MONITORING_ENABLED", true)
	interval := env.number("MONITORING_INTERVAL", 10_000, bounds{from: 1, to: 86_400_000})
	if interval != math.Trunc(interval) {
		env.wrong("MONITORING_INTERVAL: %v is not a whole number of milliseconds", interval)
	}
	rules := []monitor.Rule{
		highErrorRate(env.number("ALERT_ERROR_RATE", 5, bounds{from: 0, to: 100})),
		slowResponses(env.number("ALERT_RESPONSE_TIME", 1000, bounds{above: true, to: math.MaxFloat64})),
		highMemoryUsage(env.number("ALERT_MEMORY_USAGE", 85, bounds{above: true, to: 100})),
	}
	if err := errors.Join(env.errs...); err != nil {
		return monitor.Config{}, err
	}
	return monitor.Config{
		Disabled: !enabled, Interval: time.Duration(interval) * time.Millisecond, Runtime: true, Rules: rules,
	}, nil
}

func highErrorRate(percent float64) monitor.Rule {
	limit := decimal(percent)
	return monitor.Rule{
		Name:     "HighErrorRate",
		Expr:     `100 * sum(rate(load_requests_total{result="error"}[1m])) / sum(rate(load_requests_total[1m])) > ` + limit,
		Severity: "critical",
		Summary:  `{{ $value | humanize }}% of the requests fail, more than ` + limit + `%`,
	}
}

func slowResponses(milliseconds float64) monitor.Rule {
	limit := decimal(milliseconds)
	return monitor.Rule{
		Name:     "SlowResponses",
		Expr:     `1000 * histogram_quantile(0.95, sum by (le) (rate(load_response_seconds_bucket[1m]))) > ` + limit,
		Severity: "warning",
		Summary:  `the 95th percentile is {{ $value | humanize }} ms, more than ` + limit + ` ms`,
	}
}

func highMemoryUsage(percent float64) monitor.Rule {
	limit := decimal(percent)
	return monitor.Rule{
		Name:     "HighMemoryUsage",
		Expr:     `100 * real_memory_used_bytes / real_memory_limit_bytes > ` + limit,
		Severity: "warning",
		Summary:  `{{ $value | humanize }}% of the memory is in use, more than ` + limit + `%`,
	}
}

// decimal writes a number without loss.
func decimal(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// An environment reads variables and collects what is wrong with them. A variable that
// is not set, or empty, has its default.
type environment struct {
	getenv func(string) string
	errs   []error
}

// bounds are the smallest and the largest value; above excludes the smallest.
type bounds struct {
	from, to float64
	above    bool
}

func (e *environment) wrong(format string, args ...any) {
	e.errs = append(e.errs, fmt.Errorf("rules: "+format, args...))
}

func (e *environment) truth(name string, otherwise bool) bool {
	s := e.getenv(name)
	if s == "" {
		return otherwise
	}
	v, err := strconv.ParseBool(s)
	if err != nil {
		e.wrong("%s: %q is neither true nor false", name, s)
	}
	return v
}

func (e *environment) number(name string, otherwise float64, b bounds) float64 {
	s := e.getenv(name)
	if s == "" {
		return otherwise
	}
	v, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil || math.IsNaN(v):
		e.wrong("%s: %q is not a number", name, s)
	case v < b.from || v > b.to || b.above && v == b.from:
		e.wrong("%s: %s is out of range, which is %v to %v", name, s, b.from, b.to)
	}
	return v
}
