package template

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/prometheus/common/helpers/templates"
	"github.com/prometheus/common/model"
)

// A QueryFunc evaluates an expression at the instant of the expansion.
type QueryFunc func(expr string) ([]Sample, error)

// A Sample is one element of a result.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// sample is a Sample as templates see it.
type sample struct {
	Labels map[string]string
	Value  any
}

type queryResult []*sample

// functions are all of Prometheus' template functions.
func (e *environment) functions() template.FuncMap {
	return template.FuncMap{
		"query":       e.evaluate,
		"first":       first,
		"label":       func(label string, s *sample) string { return s.Labels[label] },
		"value":       func(s *sample) any { return s.Value },
		"strvalue":    func(s *sample) string { return s.Labels["__value__"] },
		"sortByLabel": sortByLabel,

		"humanize":           onNumber(func(v float64) string { return humanize(v, 1000) }),
		"humanize1024":       onNumber(func(v float64) string { return humanize(v, 1024) }),
		"humanizePercentage": onNumber(func(v float64) string { return fmt.Sprintf("%.4g%%", v*100) }),
		"humanizeDuration":   templates.HumanizeDuration,
		"humanizeTimestamp":  templates.HumanizeTimestamp,
		"toTime": func(v any) (*time.Time, error) {
			x, err := templates.ConvertToFloat(v)
			if err != nil {
				return nil, err
			}
			return templates.FloatToTime(x)
		},
		"toDuration":    toDuration,
		"parseDuration": parseDuration,
		"now":           func() float64 { return float64(e.at.UnixMilli()) / 1000 },

		"title":          title,
		"toUpper":        strings.ToUpper,
		"toLower":        strings.ToLower,
		"match":          regexp.MatchString,
		"reReplaceAll":   func(pattern, by, text string) string { return regexp.MustCompile(pattern).ReplaceAllString(text, by) },
		"safeHtml":       func(text string) string { return text },
		"args":           arguments,
		"stripPort":      stripPort,
		"stripDomain":    stripDomain,
		"urlQueryEscape": url.QueryEscape,
		"graphLink":      func(expr string) string { return "/graph?g0.expr=" + url.QueryEscape(expr) + "&g0.tab=0" },
		"tableLink":      func(expr string) string { return "/graph?g0.expr=" + url.QueryEscape(expr) + "&g0.tab=1" },
		"externalURL":    func() string { return e.url },
		"pathPrefix": func() string {
			u, err := url.Parse(e.url)
			if err != nil {
				return ""
			}
			return u.Path
		},
	}
}

func (e *environment) evaluate(expr string) (queryResult, error) {
	if e.query == nil {
		return nil, errors.New("no queries here")
	}
	found, err := e.query(expr)
	if err != nil {
		return nil, err
	}
	out := make(queryResult, len(found))
	for i, s := range found {
		out[i] = &sample{s.Labels, s.Value}
	}
	return out, nil
}

func first(v queryResult) (*sample, error) {
	if len(v) == 0 {
		return nil, errors.New("first() called on vector with no elements")
	}
	return v[0], nil
}

func sortByLabel(label string, v queryResult) queryResult {
	slices.SortStableFunc(v, func(a, b *sample) int { return strings.Compare(a.Labels[label], b.Labels[label]) })
	return v
}

func onNumber(f func(float64) string) func(any) (string, error) {
	return func(v any) (string, error) {
		x, err := templates.ConvertToFloat(v)
		if err != nil {
			return "", err
		}
		return f(x), nil
	}
}

func toDuration(v any) (*time.Duration, error) {
	x, err := templates.ConvertToFloat(v)
	if err != nil {
		return nil, err
	}
	d := time.Duration(x * float64(time.Second))
	return &d, nil
}

func parseDuration(text string) (float64, error) {
	d, err := model.ParseDurationAllowNegative(text)
	return time.Duration(d).Seconds(), err
}

func arguments(args ...any) map[string]any {
	out := make(map[string]any, len(args))
	for i, a := range args {
		out[fmt.Sprintf("arg%d", i)] = a
	}
	return out
}

func stripPort(hostPort string) string {
	if host, _, err := net.SplitHostPort(hostPort); err == nil {
		return host
	}
	return hostPort
}

// stripDomain leaves the first part of a host's name, and addresses as they are.
func stripDomain(hostPort string) string {
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		host = hostPort
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return hostPort
	}
	host, _, _ = strings.Cut(host, ".")
	if port != "" {
		return net.JoinHostPort(host, port)
	}
	return host
}
