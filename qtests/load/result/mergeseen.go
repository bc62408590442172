package result

import (
	"fmt"
	"slices"
	"time"
)

// addSeen adds what the monitor and the sections of a part tell, with the number of the part. width is
// the width of the whole run's intervals.
func (m *merged) addSeen(p *Result, width time.Duration) {
	group := int(max(width/max(p.Interval, 1), 1))
	for _, s := range p.Series {
		s.Labels, s.Values = p.share(s.Labels), grouped(s.Values, group, slices.Max[[]float64])
		m.Series = append(m.Series, s)
	}
	for _, s := range p.Sections {
		s.Title = fmt.Sprintf("%s (%s)", s.Title, p.part())
		m.Sections = append(m.Sections, s)
	}
	if p.Monitored != nil {
		m.addMonitored(p, group)
	}
}

// share names something that a part has told.
func (r *Result) share(name string) string { return fmt.Sprintf("%s share=%d", name, r.Part.Index) }

// addMonitored adds what the monitor of a part has told. So many intervals of the part are one of the whole run.
func (m *merged) addMonitored(p *Result, group int) {
	if m.Monitored == nil {
		m.Monitored = &Monitored{}
	}
	all := m.Monitored
	for _, panel := range p.Monitored.Panels {
		all.panel(panel.Expr).add(p, panel, group)
	}
	for _, rule := range p.Monitored.Rules {
		rule.Name = p.share(rule.Name)
		all.Rules = append(all.Rules, rule)
	}
	for name, why := range p.Monitored.Failed {
		if all.Failed == nil {
			all.Failed = map[string]string{}
		}
		all.Failed[p.share(name)] = why
	}
}

// panel returns the panel of an expression, an empty one at first.
func (m *Monitored) panel(expr string) *Panel {
	i := slices.IndexFunc(m.Panels, func(x Panel) bool { return x.Expr == expr })
	if i < 0 {
		i = len(m.Panels)
		m.Panels = append(m.Panels, Panel{Expr: expr})
	}
	return &m.Panels[i]
}

// add adds the panel of a part.
func (p *Panel) add(part *Result, more Panel, group int) {
	for _, l := range more.Lines {
		l.Series, l.Values = part.share(l.Series), grouped(l.Values, group, func(of []*float64) *float64 { return of[len(of)-1] })
		p.Lines = append(p.Lines, l)
	}
	if more.Error != "" {
		p.Error = part.share(more.Error)
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
