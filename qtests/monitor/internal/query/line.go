package query

import (
	"fmt"
	"math"
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

// regression is the line of least squares through the samples, with x in seconds from the
// origin, calculated as Prometheus does: a constant has slope 0, and an infinite one none.
//
// Source: linearRegression in Prometheus' promql/functions.go.
func regression(samples []history.Sample, origin int64) (slope, intercept float64) {
	var n, x, cx, y, cy, xy, cxy, xx, cxx float64
	constant := true
	for _, s := range samples {
		constant = constant && s.Value == samples[0].Value
		n++
		at := float64(s.At/1e6-origin/1e6) / 1e3
		x, cx = kahan(at, x, cx)
		y, cy = kahan(s.Value, y, cy)
		xy, cxy = kahan(at*s.Value, xy, cxy)
		xx, cxx = kahan(at*at, xx, cxx)
	}
	if first := samples[0].Value; constant && math.IsInf(first, 0) {
		return math.NaN(), math.NaN()
	} else if constant {
		return 0, first
	}
	x, y, xy, xx = x+cx, y+cy, xy+cxy, xx+cxx
	slope = (xy - x*y/n) / (xx - x*x/n)
	return slope, y/n - slope*x/n
}
