package query

import "github.com/go-qtests/qtests/qtests/monitor/internal/history"

// absent has one element, with the labels that the selector asks for by
// equality, when its argument has none.
func absent(ev *evaluation, args []node) (value, error) {
	v, err := args[0].eval(ev)
	if err != nil || len(v.vector) > 0 {
		return value{}, err
	}
	return missing(args[0]), nil
}

// absentOverTime is absent for a range vector in which no series has a sample.
func absentOverTime(ev *evaluation, arg node) (value, error) {
	found := false
	err := eachWindow(ev, arg, func(int) {}, func(_ history.Labels, w window) {
		if len(w.values()) > 0 {
			found, ev.data = true, ev.data || w.store != nil
		}
	})
	if err != nil || found {
		return value{}, err
	}
	return missing(arg), nil
}

// missing is the element that says that the argument has none.
func missing(arg node) value {
	sel, ok := bare(arg).(*selector)
	if !ok {
		return value{vector: []Point{{Value: 1}}}
	}
	var labels history.Labels
	seen := map[string]bool{}
	for _, m := range sel.matchers {
		switch {
		case m.Name == history.NameLabel:
		case m.Op == history.Equal && !seen[m.Name]:
			labels = labels.With(m.Name, m.Value)
			seen[m.Name] = true
		default:
			labels = labels.Without(m.Name) // asked for twice or otherwise, it is not known
		}
	}
	return value{vector: []Point{{Labels: labels, Value: 1}}}
}
