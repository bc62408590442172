package alertmanager

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/config/common"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/alertmanager/timeinterval"

	"github.com/go-qtests/qtests/qtests/monitor"
)

// A File is what an alertmanager.yml says that has a meaning in a test.
type File struct {
	Route       monitor.Route
	Inhibitions []monitor.Inhibition
	// Receivers are those of the file, without channels.
	Receivers []monitor.Receiver
	// PassedOver names what has no meaning in a test: "receiver pager: where
	// pagerduty_configs send to".
	PassedOver []string
	// ExternalURL is what message templates see as .ExternalURL. Read sets
	// http://localhost:9093.
	ExternalURL string

	config    *config.Config
	templates *template.Template
}

// Read reads and validates the file as Alertmanager does. The error names the file and the
// line.
func Read(path string) (*File, error) {
	names()
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("alertmanager: %w", err)
	}
	if _, err := config.Load(string(text)); err != nil {
		return nil, fmt.Errorf("alertmanager: %w", where(path, string(text), err))
	}
	cfg, err := config.LoadFile(path)
	if err != nil {
		return nil, fmt.Errorf("alertmanager: %s: %w", path, err)
	}
	f, err := convert(cfg)
	if err != nil {
		return nil, fmt.Errorf("alertmanager: %s: %w", path, err)
	}
	return f, nil
}

// names makes the library read matchers and the names of labels as Alertmanager itself
// does: UTF-8, and what older versions took. By itself it reads what older versions took.
var names = sync.OnceFunc(func() { compat.InitFromFlags(slog.New(slog.DiscardHandler), featurecontrol.NoopFlags{}) })

func convert(cfg *config.Config) (*File, error) {
	intervals := map[string][]timeinterval.TimeInterval{}
	for _, x := range cfg.MuteTimeIntervals {
		intervals[x.Name] = x.TimeIntervals
	}
	for _, x := range cfg.TimeIntervals {
		intervals[x.Name] = x.TimeIntervals
	}
	templates, err := template.FromGlobs(cfg.Templates)
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	f := &File{ExternalURL: "http://localhost:9093", config: cfg, templates: templates}
	f.Route = f.route(dispatch.NewRoute(cfg.Route, nil), intervals)
	for _, rule := range cfg.InhibitRules {
		source, err := matchersOf(rule.SourceMatchers, rule.SourceMatch, rule.SourceMatchRE)
		if err != nil {
			return nil, err
		}
		target, err := matchersOf(rule.TargetMatchers, rule.TargetMatch, rule.TargetMatchRE)
		if err != nil {
			return nil, err
		}
		f.Inhibitions = append(f.Inhibitions, monitor.Inhibition{Source: source, Target: target, Equal: slices.Clone(rule.Equal)})
	}
	for _, r := range cfg.Receivers {
		f.addReceiver(r)
	}
	return f, nil
}

// route converts a route of Alertmanager's own tree, in which all is inherited already.
func (f *File) route(r *dispatch.Route, intervals map[string][]timeinterval.TimeInterval) monitor.Route {
	out := monitor.Route{
		Receiver: r.RouteOpts.Receiver, Continue: r.Continue, Matchers: converted(r.Matchers), GroupBy: []string{},
		GroupWait: r.RouteOpts.GroupWait, Immediately: r.RouteOpts.GroupWait == 0,
		GroupInterval: r.RouteOpts.GroupInterval, RepeatInterval: r.RouteOpts.RepeatInterval,
		MutedAt: mutedAt(r.RouteOpts, intervals), Labels: map[string]string{},
	}
	for name := range r.RouteOpts.GroupBy {
		out.GroupBy = append(out.GroupBy, string(name))
	}
	sort.Strings(out.GroupBy)
	if r.RouteOpts.GroupByAll {
		out.GroupBy = []string{"..."}
	}
	for name, value := range r.RouteOpts.Labels {
		if out.Labels[string(name)] = string(value); strings.Contains(string(value), "{{") {
			f.PassedOver = append(f.PassedOver, fmt.Sprintf("route %s: the template of the label %s", r.Key(), name))
		}
	}
	for _, child := range r.Routes {
		out.Routes = append(out.Routes, f.route(child, intervals))
	}
	return out
}

// mutedAt says when a route tells nobody anything: in a mute interval, or, where there
// are active ones, outside of all of them.
func mutedAt(opts dispatch.RouteOpts, intervals map[string][]timeinterval.TimeInterval) func(time.Time) bool {
	if len(opts.MuteTimeIntervals)+len(opts.ActiveTimeIntervals) == 0 {
		return nil
	}
	mute, active := slices.Clone(opts.MuteTimeIntervals), slices.Clone(opts.ActiveTimeIntervals)
	in := func(names []string, at time.Time) bool {
		return slices.ContainsFunc(names, func(name string) bool {
			return slices.ContainsFunc(intervals[name], func(x timeinterval.TimeInterval) bool { return x.ContainsTime(at.UTC()) })
		})
	}
	return func(at time.Time) bool { return in(mute, at) || len(active) > 0 && !in(active, at) }
}

func converted(ms labels.Matchers) []monitor.Matcher {
	var out []monitor.Matcher
	for _, m := range ms {
		switch m.Type {
		case labels.MatchEqual:
			out = append(out, monitor.Equal(m.Name, m.Value))
		case labels.MatchNotEqual:
			out = append(out, monitor.NotEqual(m.Name, m.Value))
		case labels.MatchRegexp:
			out = append(out, monitor.Match(m.Name, m.Value))
		default:
			out = append(out, monitor.NotMatch(m.Name, m.Value))
		}
	}
	return out
}

// matchersOf joins the three ways in which an inhibition rule may name labels.
func matchersOf(ms common.Matchers, equal map[string]string, re common.MatchRegexps) ([]monitor.Matcher, error) {
	all := slices.Clone(labels.Matchers(ms))
	add := func(typ labels.MatchType, name, value string) error {
		m, err := labels.NewMatcher(typ, name, value)
		all = append(all, m)
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(equal)) {
		if err := add(labels.MatchEqual, name, equal[name]); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(re)) {
		if err := add(labels.MatchRegexp, name, re[name].String()); err != nil {
			return nil, err
		}
	}
	if len(all) == 0 { // chooses every alert
		return []monitor.Matcher{monitor.Match("alertname", ".*")}, nil
	}
	return converted(all), nil
}

// addReceiver adds a receiver. It sends what is resolved if one of its integrations does.
func (f *File) addReceiver(r config.Receiver) {
	out := monitor.Receiver{Name: r.Name}
	sends, all := false, integrations(r)
	for i, x := range all {
		if i == 0 || all[i-1].kind != x.kind {
			f.PassedOver = append(f.PassedOver, "receiver "+r.Name+": where "+x.kind+" send to")
		}
		sends = sends || x.sendsResolved()
	}
	out.FiringOnly = len(all) > 0 && !sends
	f.Receivers = append(f.Receivers, out)
}

// Apply sets the routes, receivers and inhibitions of a monitor's config. channels has the
// test's channels for each receiver; a receiver without one tells nobody. The error names
// a receiver that the file does not have.
func (f *File) Apply(cfg *monitor.Config, channels map[string][]monitor.Channel) error {
	receivers := slices.Clone(f.Receivers)
	for i := range receivers {
		receivers[i].Channels = slices.Clone(channels[receivers[i].Name])
	}
	for _, name := range slices.Sorted(maps.Keys(channels)) {
		if !slices.ContainsFunc(receivers, func(r monitor.Receiver) bool { return r.Name == name }) {
			var known []string
			for _, r := range receivers {
				known = append(known, r.Name)
			}
			return fmt.Errorf("alertmanager: no receiver is called %q; there are %q", name, known)
		}
	}
	cfg.Route, cfg.Receivers = f.Route, receivers
	cfg.Inhibitions = append(slices.Clone(cfg.Inhibitions), f.Inhibitions...)
	return nil
}
