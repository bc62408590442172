package text

import (
	"strconv"
	"time"
)

// Number writes a number with as many digits as it has, and no more: 0.1, 1e+21.
func Number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// Grouped writes 1234567 as 1,234,567.
func Grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Significant writes a number that is not negative with four digits, and from 1000 on
// with all digits before the point, grouped.
func Significant(x float64) string {
	if x >= 1000 {
		return Grouped(int64(x + 0.5))
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}

// Rate writes a rate per second, and one below 0.1/s per minute or per hour: a person reads 2.5/min with ease, and 0.04167/s
// not at all.
func Rate(perSecond float64) string {
	switch {
	case perSecond == 0 || perSecond >= 0.1:
		return Significant(perSecond) + "/s"
	case perSecond*60 >= 0.1:
		return Significant(perSecond*60) + "/min"
	}
	return Significant(perSecond*3600) + "/h"
}

// Short writes a duration with about four digits, which is what a person reads. It has
// no digits below a microsecond.
func Short(d time.Duration) string {
	unit := time.Microsecond
	for x := d; x >= 10_000*time.Microsecond && unit < time.Second; x /= 10 {
		unit *= 10
	}
	return d.Round(unit).String()
}

// Plural writes "1 run", "3 runs" and "1,200 runs". The plural of what has to end in s.
func Plural[N ~int | ~int64 | ~uint64](n N, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return Grouped(int64(n)) + " " + what + "s"
}

// Times writes "once" and "3 times", with large numbers grouped.
func Times(n int64) string {
	if n == 1 {
		return "once"
	}
	return Grouped(n) + " times"
}
