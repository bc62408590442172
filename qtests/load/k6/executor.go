package k6

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// milliseconds is a duration as k6 reads one.
func milliseconds(d time.Duration) string {
	if d%time.Millisecond == 0 {
		return fmt.Sprintf("%dms", d.Milliseconds())
	}
	return fmt.Sprintf("%gms", float64(d)/1e6)
}

// executor is the scenario of the script.
func (x *export) executor() map[string]any {
	stages, unit, err := x.Traffic.Stages()
	if err != nil {
		x.refuse("Scenario.Traffic", "%v: k6 has stages with an even rate or a number of users", err)
		return nil
	}
	var out map[string]any
	if x.Traffic.Kind() == traffic.Closed {
		out = x.users(stages)
	} else {
		out = x.arrivals(stages, unit)
	}
	if out != nil {
		out["gracefulStop"] = milliseconds(x.grace())
	}
	return out
}

func (x *export) grace() time.Duration {
	if x.Grace == 0 && !x.NoGrace {
		return load.DefaultGrace
	}
	return x.Grace
}

// arrivals is an executor for rates.
func (x *export) arrivals(stages []traffic.Stage, unit time.Duration) map[string]any {
	if budget, _ := x.Traffic.Limits(); budget > 0 {
		x.refuse("Scenario.Traffic", "a budget of %d requests at a rate: k6 bounds iterations of users only", budget)
	}
	factor, ok := wholeRates(stages)
	if !ok {
		x.refuse("Scenario.Traffic", "k6 has whole rates, and no unit of time up to 1,000 times %v makes all of these whole", unit)
		return nil
	}
	most := cmp.Or(x.MaxInFlight, load.DefaultMaxInFlight)
	peak := level(stages) / unit.Seconds()
	out := map[string]any{
		"timeUnit": milliseconds(time.Duration(factor) * unit), "maxVUs": most,
		"preAllocatedVUs": min(most, max(int(math.Ceil(peak)), 1)),
	}
	if len(stages) == 1 && stages[0].From == stages[0].To {
		out["executor"], out["rate"], out["duration"] = "constant-arrival-rate", whole(stages[0].From*float64(factor)), milliseconds(stages[0].For)
		return out
	}
	out["executor"], out["startRate"] = "ramping-arrival-rate", whole(stages[0].From*float64(factor))
	out["stages"] = ramps(stages, float64(factor))
	return out
}

func whole(x float64) int64 { return int64(math.Round(x)) }

// wholeRates finds how many units of time make all rates whole.
func wholeRates(stages []traffic.Stage) (int, bool) {
	for _, f := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 30, 60, 100, 1000} {
		if !slices.ContainsFunc(stages, func(s traffic.Stage) bool { return !isWhole(s.From*float64(f)) || !isWhole(s.To*float64(f)) }) {
			return f, true
		}
	}
	return 0, false
}

func isWhole(x float64) bool { return math.Abs(x-math.Round(x)) < 1e-9*max(x, 1) }

// ramps are stages as k6 has them: each goes to a target. A jump is one that takes no time.
func ramps(stages []traffic.Stage, factor float64) (out []map[string]any) {
	at := stages[0].From
	for _, s := range stages {
		if s.From != at {
			out = append(out, map[string]any{"target": whole(s.From * factor), "duration": "0s"})
		}
		out = append(out, map[string]any{"target": whole(s.To * factor), "duration": milliseconds(s.For)})
		at = s.To
	}
	return out
}

// users is an executor for users.
func (x *export) users(stages []traffic.Stage) map[string]any {
	if !x.wholeUsers(stages) {
		return nil
	}
	n, d, constant := whole(stages[0].From), time.Duration(0), true
	for _, s := range stages {
		d += s.For
		constant = constant && s.From == stages[0].From && s.To == stages[0].From
	}
	switch budget, each := x.Traffic.Limits(); {
	case budget+each > 0 && !constant:
		x.refuse("Scenario.Traffic", "a budget of requests while the number of users changes: k6 has budgets for a fixed number only")
	case budget > 0 && each > 0:
		x.refuse("Scenario.Traffic", "a budget of all users and one of each: k6 has one of the two")
	case budget > 0:
		return map[string]any{"executor": "shared-iterations", "vus": min(n, budget), "iterations": budget, "maxDuration": milliseconds(d)}
	case each > 0:
		return map[string]any{"executor": "per-vu-iterations", "vus": n, "iterations": each, "maxDuration": milliseconds(d)}
	case constant:
		return map[string]any{"executor": "constant-vus", "vus": n, "duration": milliseconds(d)}
	}
	return map[string]any{"executor": "ramping-vus", "startVUs": n, "stages": ramps(stages, 1), "gracefulRampDown": milliseconds(x.leaveGrace())}
}

// wholeUsers reports whether the stages have whole users, and refuses others.
func (x *export) wholeUsers(stages []traffic.Stage) bool {
	for _, s := range stages {
		if s.From != math.Trunc(s.From) || s.To != math.Trunc(s.To) {
			x.refuse("Scenario.Traffic", "%g to %g users: k6 has whole users", s.From, s.To)
			return false
		}
	}
	return true
}

func (x *export) leaveGrace() time.Duration {
	if x.LeaveGrace == 0 && !x.NoLeaveGrace {
		return x.grace()
	}
	return x.LeaveGrace
}

// pause is what an iteration does at its end.
func (x *export) pause() string {
	seconds := x.think()
	switch {
	case seconds == "" && x.Pacing == 0:
		return ""
	case x.Pacing == 0:
		return fmt.Sprintf("  sleep(%s);\n", seconds)
	case seconds == "":
		seconds = "0"
	}
	return fmt.Sprintf("  sleep(Math.max(%s, %g - (Date.now() - begun) / 1000));\n", seconds, x.Pacing.Seconds())
}

// think is the think time as an expression, in seconds.
func (x *export) think() string {
	if x.ThinkTime.IsZero() {
		return ""
	}
	name := x.ThinkTime.String()
	kind, args := parse(name)
	switch kind {
	case "Fixed":
		return fmt.Sprintf("%g", args[0])
	case "Uniform":
		return fmt.Sprintf("%g + %g * Math.random()", args[0], args[1]-args[0])
	case "Exponential":
		return fmt.Sprintf("-%g * Math.log(1 - Math.random())", args[0])
	case "LogNormal":
		return fmt.Sprintf("%g * Math.exp(%g * %s)", args[0], math.Log(args[1]/args[0])/2.3263478740408408, normal)
	}
	x.refuse("Scenario.ThinkTime", "%s: k6 has no such distribution, and it is not written by a formula", name)
	return ""
}

// normal is a number of the standard normal distribution, by Box and Muller.
const normal = "Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random())"

// parse reads the name of a distribution of durations, such as Uniform(1s, 2s).
func parse(name string) (kind string, args []float64) {
	var first, second string
	for _, k := range []string{"Fixed", "Exponential"} {
		if n, _ := fmt.Sscanf(name, k+"(%s", &first); n == 1 {
			if args, ok := seconds(first); ok {
				return k, args
			}
		}
	}
	for _, k := range []string{"Uniform", "LogNormal"} {
		if n, _ := fmt.Sscanf(name, k+"(%s %s", &first, &second); n == 2 {
			if args, ok := seconds(first, second); ok {
				return k, args
			}
		}
	}
	return "", nil
}

// seconds reads durations, each with a comma or a bracket behind it.
func seconds(texts ...string) (all []float64, ok bool) {
	for _, text := range texts {
		d, err := time.ParseDuration(text[:len(text)-1])
		if err != nil {
			return nil, false
		}
		all = append(all, d.Seconds())
	}
	return all, true
}
