package compare

import (
	"math"
	"strconv"
	"strings"
)

// A Unit says how a number is written.
type Unit int

// The units of figures.
const (
	Count Unit = iota
	Nanoseconds
	Bytes
	PerSecond
)

// Format writes x for people, with three or four digits that count.
func (u Unit) Format(x float64) string {
	switch u {
	case Nanoseconds:
		return scaled(x, 1000, "ns", "µs", "ms", "s")
	case Bytes:
		if math.Abs(x) < 10_000 {
			return grouped(x) + " B"
		}
		return scaled(x/1024, 1024, "KiB", "MiB", "GiB")
	case PerSecond:
		return Number(x) + "/s"
	}
	return Number(x)
}

// scaled writes x in the largest unit that is not larger than x.
func scaled(x, step float64, units ...string) string {
	for len(units) > 1 && math.Abs(x) >= step {
		x /= step
		units = units[1:]
	}
	return Number(x) + " " + units[0]
}

// Number writes x with three digits that count; of whole numbers and large ones,
// all before the point.
func Number(x float64) string {
	switch size := math.Abs(x); {
	case x == math.Trunc(x) || size >= 100:
		return grouped(x)
	case size >= 10:
		return strconv.FormatFloat(x, 'f', 1, 64)
	case size >= 0.1:
		return strconv.FormatFloat(x, 'f', 2, 64)
	}
	return strconv.FormatFloat(x, 'g', 2, 64)
}

// grouped writes x without a fraction, its thousands apart.
func grouped(x float64) string {
	digits := strconv.FormatFloat(math.Abs(x), 'f', 0, 64)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	if x < 0 && digits != "0" {
		return "-" + b.String()
	}
	return b.String()
}
