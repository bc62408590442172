package result

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// A Change is a figure of two summaries.
type Change struct {
	Name          string
	Before, After float64
	Worse, Better bool // beyond the tolerance, and in real time beyond the noise as well
}

// least are the smallest differences that count: of times, and of shares.
const (
	leastTime  = 100e-6
	leastShare = 0.0005
)

// Against compares s with an earlier summary, figure by figure, those of s first. A figure is worse or better if it differs by more than the tolerance, a
// share of the figure before: 0.05 is 5 %; a time by more than 100 µs, too, and a share of requests by more than 0.05 %. In real time the confidence intervals of
// both must not touch either. Figures that one of the two does not have are left out.
func (s Summary) Against(before Summary, tolerance float64) (all []Change) {
	for _, now := range s.Figures {
		i := slices.IndexFunc(before.Figures, func(f Figure) bool { return f.Name == now.Name })
		if i < 0 {
			continue
		}
		was := before.Figures[i]
		c := Change{Name: now.Name, Before: was.Value, After: now.Value}
		differs := math.Abs(now.Value-was.Value) > max(tolerance*was.Value, now.least())
		if s.Real || before.Real {
			differs = differs && (now.Low > was.High || now.High < was.Low)
		}
		up := now.Value > was.Value
		c.Worse, c.Better = differs && up != now.more(), differs && up == now.more()
		all = append(all, c)
	}
	return all
}

// more reports whether more is better.
func (f Figure) more() bool { return f.Name == "rate" || f.Name == "goodput" }

// isTime reports whether the figure is in seconds.
func (f Figure) isTime() bool {
	return strings.HasSuffix(f.Name, ")") && strings.Contains(f.Name, "p(") || strings.HasSuffix(f.Name, "avg")
}

func (f Figure) least() float64 {
	switch {
	case f.isTime():
		return leastTime
	case f.more():
		return 0
	}
	return leastShare
}

// show writes a value of the figure.
func (f Figure) show(x float64) string {
	switch {
	case f.isTime():
		return text.Short(time.Duration(x * 1e9))
	case f.more():
		return text.Rate(x)
	}
	return fmt.Sprintf("%.4g%%", 100*x)
}

// Row is the change as cells of a table: sign, figure, before, after, by how much.
func (c Change) Row() []string {
	sign, f := " ", Figure{Name: c.Name}
	switch {
	case c.Worse:
		sign = "✗"
	case c.Better:
		sign = "✓"
	}
	by := "same"
	if c.Before != c.After {
		by = "from zero"
		if c.Before != 0 {
			by = fmt.Sprintf("%+.1f%%", 100*(c.After/c.Before-1))
		}
	}
	return []string{sign, c.Name, f.show(c.Before), f.show(c.After), by}
}
