package query

import (
	"maps"
	"math"
	"slices"
)

// Functions returns the names of the functions that are evaluated, sorted.
func Functions() []string { return slices.Sorted(maps.Keys(functions)) }

// init adds the functions that are many of one kind.
func init() {
	for name, f := range trigonometry {
		functions[name] = elementwise(f)
	}
	for name, f := range calendar {
		functions[name] = dated(f)
	}
}

var functions = map[string]function{
	"rate":     ranged(func(w window) (float64, bool) { return extrapolated(w, true, true) }),
	"increase": ranged(func(w window) (float64, bool) { return extrapolated(w, true, false) }),
	"delta":    ranged(func(w window) (float64, bool) { return extrapolated(w, false, false) }),
	"irate":    ranged(func(w window) (float64, bool) { return lastTwo(w, true) }),
	"idelta":   ranged(func(w window) (float64, bool) { return lastTwo(w, false) }),
	"resets":   folded(resets),
	"changes":  folded(changes),

	"avg_over_time":     folded(func(v []float64) float64 { m := meanOf(v); return m.result() }),
	"sum_over_time":     folded(func(v []float64) float64 { m := meanOf(v); return m.total() }),
	"count_over_time":   folded(func(v []float64) float64 { return float64(len(v)) }),
	"present_over_time": folded(func([]float64) float64 { return 1 }),
	"min_over_time":     folded(lowest),
	"max_over_time":     folded(highest),
	"last_over_time": {[]Type{Matrix}, 0, Vector, func(ev *evaluation, args []node) (value, error) {
		return overTime(ev, args[0], true, func(w window) (float64, bool) {
			v := w.values()
			if len(v) == 0 {
				return 0, false
			}
			return v[len(v)-1], true
		})
	}},
	"stdvar_over_time": folded(variance),
	"stddev_over_time": folded(func(v []float64) float64 { return math.Sqrt(variance(v)) }),
	"absent_over_time": {[]Type{Matrix}, 0, Vector, func(ev *evaluation, args []node) (value, error) {
		return absentOverTime(ev, args[0])
	}},
	"quantile_over_time": {[]Type{Scalar, Matrix}, 0, Vector, func(ev *evaluation, args []node) (value, error) {
		q, err := args[0].eval(ev)
		if err != nil {
			return value{}, err
		}
		return overTime(ev, args[1], false, func(w window) (float64, bool) {
			v := w.values()
			return quantile(q.scalar, v), len(v) > 0
		})
	}},
	"deriv": ranged(func(w window) (float64, bool) {
		s := w.all()
		if len(s) < 2 {
			return 0, false
		}
		slope, _ := regression(s, s[0].At)
		return slope, true
	}),
	"predict_linear":     {[]Type{Matrix, Scalar}, 0, Vector, predictLinear},
	"histogram_quantile": {[]Type{Scalar, Vector}, 0, Vector, histogramQuantile},

	"label_replace": {[]Type{Vector, String, String, String, String}, 0, Vector, labelReplace},
	"label_join":    {[]Type{Vector, String, String, String}, variadic, Vector, labelJoin},
	"timestamp":     {[]Type{Vector}, 0, Vector, timestamp},
	"sort":          {[]Type{Vector}, 0, Vector, sorted(1)},
	"sort_desc":     {[]Type{Vector}, 0, Vector, sorted(-1)},

	"abs":   elementwise(math.Abs),
	"ceil":  elementwise(math.Ceil),
	"floor": elementwise(math.Floor),
	"exp":   elementwise(math.Exp),
	"ln":    elementwise(math.Log),
	"log2":  elementwise(math.Log2),
	"log10": elementwise(math.Log10),
	"sqrt":  elementwise(math.Sqrt),
	"sgn": elementwise(func(x float64) float64 {
		switch {
		case x < 0:
			return -1
		case x > 0:
			return 1
		}
		return x
	}),
	"round": withScalars(1, func(x float64, to []float64) float64 {
		inverse := 1.0
		if len(to) == 1 {
			inverse = 1 / to[0] // as Prometheus rounds: by the inverse, halves up
		}
		return math.Floor(x*inverse+0.5) / inverse
	}, Scalar),
	"clamp_min": withScalars(0, func(x float64, s []float64) float64 { return math.Max(s[0], x) }, Scalar),
	"clamp_max": withScalars(0, func(x float64, s []float64) float64 { return math.Min(s[0], x) }, Scalar),
	"clamp": {[]Type{Vector, Scalar, Scalar}, 0, Vector, func(ev *evaluation, args []node) (value, error) {
		v, s, err := arguments(ev, args)
		if err != nil || s[1] < s[0] {
			return value{}, err
		}
		return mapped(v, func(x float64) float64 { return math.Max(s[0], math.Min(s[1], x)) })
	}},

	"time": {nil, 0, Scalar, func(ev *evaluation, _ []node) (value, error) {
		return value{scalar: float64(ev.at/1e6) / 1e3}, nil
	}},
	"pi": {nil, 0, Scalar, func(*evaluation, []node) (value, error) { return value{scalar: math.Pi}, nil }},
	"vector": {[]Type{Scalar}, 0, Vector, func(ev *evaluation, args []node) (value, error) {
		s, err := args[0].eval(ev)
		return value{vector: []Point{{Value: s.scalar}}}, err
	}},
	"scalar": {[]Type{Vector}, 0, Scalar, func(ev *evaluation, args []node) (value, error) {
		v, err := args[0].eval(ev)
		if len(v.vector) != 1 {
			return value{scalar: math.NaN()}, err
		}
		return value{scalar: v.vector[0].Value}, err
	}},
	"absent": {[]Type{Vector}, 0, Vector, absent},
}
