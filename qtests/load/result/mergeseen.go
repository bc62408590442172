package result

import (
	"fmt"
	"slices"
	"time"
)

// addSeen adds what the monitor and the sections of a part tell, with the number of the part. width is
// the width of the whole run's intervals.
func (m *merged) addSeen(p *Result, width time.Duration) {
	of := func(name string) string { return fmt.Sprintf("%s share=%d", name, p.Part.Index) }
	group := int(max(width/max(p.Interval, 1), 1))
	for _, s := range p.Series {
		s.Labels, s.Values = of(s.Labels), grouped(s.Values, group, slices.Max[[]float64])
		m.Series = append(m.Series, s)
	}
	for _, s := range p.Sections {
		s.Title = fmt.Sprintf("%s (%s)", s.Title, p.part())
		m.Sections = append(m.Sections, s)
	}
	if p.Monitored == nil {
		return
	}
	if m.Monitored == nil {
		m.Monitored = &Monitored{}
	}
	all := m.Monitored
	for _, panel := range p.Monitored.Panels {
		i := slices.IndexFunc(all.Panels, func(x Panel) bool { return x.Expr == panel.Expr })
		if i < 0 {
			i = len(all.Panels)
			all.Panels = append(all.Panels, Panel{Expr: panel.Expr})
		}
		for _, l := range panel.Lines {
			l.Series, l.Values = of(l.Series), grouped(l.Values, group, func(of []*float64) *float64 { return of[len(of)-1] })
			all.Panels[i].Lines = append(all.Panels[i].Lines, l)
		}
		if panel.Error != "" {
			all.Panels[i].Error = of(panel.Error)
		}
	}
	for _, rule := range p.Monitored.Rules {
		rule.Name = of(rule.Name)
		all.Rules = append(all.Rules, rule)
	}
	for name, why := range p.Monitored.Failed {
		if all.Failed == nil {
			all.Failed = map[string]string{}
		}
		all.Failed[of(name)] = why
	}
}

// grouped makes one value of n that follow each other.
func grouped[V any](values []V, n int, of func([]V) V) (out []V) {
	if n == 1 {
		return values
	}
	for all := range slices.Chunk(values, n) {
		out = append(out, of(all))
	}
	return out
}
