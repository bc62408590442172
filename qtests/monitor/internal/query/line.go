package query

import (
	"fmt"
	"strings"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// lines are the lines of least squares through the samples of a range selector: what all
// calls of predict_linear have in common that differ in how far ahead they look.
type lines struct {
	arg node
	shared
}

// linesOf returns the lines through the series of a range vector: for each series two
// points, the intercept at this instant and the slope.
func linesOf(ev *evaluation, arg node) ([]Point, error) {
	of := &lines{arg: arg}
	if s, ok := bare(arg).(*selector); ok && s.lines != nil {
		of = s.lines
	}
	v, err := of.shared.eval(ev, of)
	return v.vector, err
}

func (*lines) typ() Type { return Vector }

func (l *lines) eval(ev *evaluation) (value, error) { return l.shared.eval(ev, l) }

func (l *lines) compute(ev *evaluation) (value, error) {
	var out []Point
	err := eachWindow(ev, l.arg, func(n int) { out = ev.vector(2 * n) }, func(labels history.Labels, w window) {
		s := w.all()
		ev.data = ev.data || w.store != nil && len(s) > 0
		if len(s) >= 2 {
			slope, intercept := regression(s, ev.at)
			out = append(out, Point{labels, intercept, w.place}, Point{labels, slope, w.place})
		}
	})
	return value{vector: out}, err
}

// predictLinear gives what the line through the samples has some seconds ahead.
func predictLinear(ev *evaluation, args []node) (value, error) {
	ahead, err := args[1].eval(ev)
	if err != nil {
		return value{}, err
	}
	all, err := linesOf(ev, args[0])
	if err != nil {
		return value{}, err
	}
	out := ev.vector(len(all) / 2)
	for i := 0; i < len(all); i += 2 {
		intercept, slope := all[i], all[i+1]
		out = append(out, Point{intercept.Labels, slope.Value*ahead.scalar + intercept.Value, intercept.place})
	}
	return nameless(out)
}

// name is a text that only selectors have that read the same.
func (s *selector) name() string {
	var b strings.Builder
	for _, m := range s.matchers {
		fmt.Fprintf(&b, "%q%s%q,", m.Name, m.Op, m.Value)
	}
	return fmt.Sprintf("%s[%d] offset %d", b.String(), s.span, s.offset)
}
