package query

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// trigonometry has the functions of one angle or number.
var trigonometry = map[string]func(float64) float64{
	"acos": math.Acos, "acosh": math.Acosh, "asin": math.Asin, "asinh": math.Asinh, "atan": math.Atan, "atanh": math.Atanh,
	"cos": math.Cos, "cosh": math.Cosh, "sin": math.Sin, "sinh": math.Sinh, "tan": math.Tan, "tanh": math.Tanh,
	"deg": func(x float64) float64 { return x * (180 / math.Pi) },
	"rad": func(x float64) float64 { return x * (math.Pi / 180) },
}

// calendar has the functions of a date in UTC.
var calendar = map[string]func(time.Time) float64{
	"minute":       func(t time.Time) float64 { return float64(t.Minute()) },
	"hour":         func(t time.Time) float64 { return float64(t.Hour()) },
	"day_of_week":  func(t time.Time) float64 { return float64(t.Weekday()) },
	"day_of_month": func(t time.Time) float64 { return float64(t.Day()) },
	"day_of_year":  func(t time.Time) float64 { return float64(t.YearDay()) },
	"days_in_month": func(t time.Time) float64 {
		return float64(time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day())
	},
	"month": func(t time.Time) float64 { return float64(t.Month()) },
	"year":  func(t time.Time) float64 { return float64(t.Year()) },
}

// dated makes a function of instants in seconds, or of now without an argument.
func dated(f func(time.Time) float64) function {
	return function{[]Type{Vector}, 1, Vector, func(ev *evaluation, args []node) (value, error) {
		if len(args) == 0 {
			return value{vector: []Point{{Value: f(time.Unix(ev.at/1e9, 0).UTC())}}}, nil
		}
		v, err := args[0].eval(ev)
		if err != nil {
			return value{}, err
		}
		return mapped(v.vector, func(x float64) float64 { return f(time.Unix(int64(x), 0).UTC()) })
	}}
}

// timestamp gives the instants of the samples of a selector, and of everything else now.
func timestamp(ev *evaluation, args []node) (value, error) {
	if s, ok := bare(args[0]).(*selector); ok {
		return s.timestamps(ev)
	}
	v, err := args[0].eval(ev)
	if err != nil {
		return value{}, err
	}
	return mapped(v.vector, func(float64) float64 { return float64(ev.at/1e6) / 1e3 })
}

// sorted orders by value, ascending or descending; NaN is last.
func sorted(sign int) func(*evaluation, []node) (value, error) {
	return func(ev *evaluation, args []node) (value, error) {
		v, err := args[0].eval(ev)
		slices.SortStableFunc(v.vector, func(a, b Point) int {
			if math.IsNaN(a.Value) || math.IsNaN(b.Value) {
				return cmp.Compare(b.Value, a.Value) // NaN is less than all numbers
			}
			return sign * cmp.Compare(a.Value, b.Value)
		})
		return v, err
	}
}

// texts returns the values of string arguments.
func texts(args []node) []string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = string(bare(a).(text))
	}
	return out
}

// labelReplace sets a label to what a pattern makes of another one, where it matches.
func labelReplace(ev *evaluation, args []node) (value, error) {
	t := texts(args[1:])
	dst, by, src, pattern := t[0], t[1], t[2], t[3]
	re, err := regexp.Compile("^(?s:" + pattern + ")$")
	if err != nil {
		return value{}, fmt.Errorf("invalid regular expression in label_replace(): %s", pattern)
	}
	if !model.UTF8Validation.IsValidLabelName(dst) {
		return value{}, fmt.Errorf("invalid destination label name in label_replace(): %s", dst)
	}
	v, err := args[0].eval(ev)
	for i, p := range v.vector {
		have := p.Labels.Get(src)
		if at := re.FindStringSubmatchIndex(have); at != nil {
			v.vector[i].Labels = p.Labels.With(dst, string(re.ExpandString(nil, by, have, at)))
		}
	}
	if err == nil {
		err = unique(v.vector)
	}
	return v, err
}

// labelJoin sets a label to the values of others, with a separator between them.
func labelJoin(ev *evaluation, args []node) (value, error) {
	t := texts(args[1:])
	for _, name := range t[2:] {
		if !model.UTF8Validation.IsValidLabelName(name) {
			return value{}, fmt.Errorf("invalid source label name in label_join(): %s", name)
		}
	}
	if !model.UTF8Validation.IsValidLabelName(t[0]) {
		return value{}, fmt.Errorf("invalid destination label name in label_join(): %s", t[0])
	}
	v, err := args[0].eval(ev)
	for i, p := range v.vector {
		var values []string
		for _, name := range t[2:] {
			values = append(values, p.Labels.Get(name))
		}
		v.vector[i].Labels = p.Labels.With(t[0], strings.Join(values, t[1]))
	}
	if err == nil {
		err = unique(v.vector)
	}
	return v, err
}
