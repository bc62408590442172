package traffic

import "time"

// The classic types of load tests, as profiles. rate is the average load of the system per second, d
// the length of the whole test. Each is an ordinary profile: it can be amplified, and further stages
// can follow it.

// Smoke is a tenth of the load, constant: does it work at all?
//
//	rate/10 ▁▁▁▁▁▁▁▁▁▁
func Smoke(rate float64, d time.Duration) Profile { return Rate(rate / 10).For(d) }

// AverageLoad rises to the load in 10 % of the time, holds it for 80 %, and falls.
//
//	rate ▁▅▅▅▅▅▅▅▅▁
func AverageLoad(rate float64, d time.Duration) Profile {
	return trapezoid(rate, d, 0.1)
}

// Stress rises to twice the load in 20 % of the time, holds it for 60 %, and
// falls.
//
//	2·rate ▁▄███████▄▁
func Stress(rate float64, d time.Duration) Profile {
	return trapezoid(2*rate, d, 0.2)
}

// Spike is the load, then ten times the load, reached in 2 % and held for 6 %
// of the time in the middle of the test, then the load again.
//
//	10·rate ▁▁▁▁█▁▁▁▁
func Spike(rate float64, d time.Duration) Profile {
	part := func(share float64) time.Duration { return max(time.Duration(float64(d)*share), 1) }
	before, edge, top := part(0.45), part(0.02), part(0.06)
	return Rate(rate).For(before).To(10*rate, edge).For(top).To(rate, edge).For(d - before - 2*edge - top)
}

// Soak is four fifths of the load, with short ramps, for a long time: what leaks, fills up or drifts?
//
//	0.8·rate ▁▄▄▄▄▄▄▄▄▄▄▄▄▄▁
func Soak(rate float64, d time.Duration) Profile {
	return trapezoid(0.8*rate, d, 0.02)
}

// Breakpoint rises from nothing to twenty times the load. Use it with thresholds that abort: the load at
// which the run ends is the answer.
//
//	20·rate ▁▂▃▄▅▆▇█
func Breakpoint(rate float64, d time.Duration) Profile {
	return Rate(0).To(20*rate, d)
}

func trapezoid(rate float64, d time.Duration, ramp float64) Profile {
	edge := max(time.Duration(float64(d)*ramp), 1)
	return Rate(0).To(rate, edge).For(d-2*edge).To(0, edge)
}
