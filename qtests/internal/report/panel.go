package report

import (
	"fmt"
	"strings"
)

// MaxLines bounds the lines of a panel: more cannot be told apart.
const MaxLines = 20

// Panel makes the chart of an expression. It draws the first MaxLines of its lines.
// failed says why there are none.
func Panel(expr string, lines []Series, failed string) Chart {
	c := Chart{Title: expr, Unit: unitOf(expr), Note: failed, Series: lines[:min(len(lines), MaxLines)]}
	for i := range c.Series {
		c.Series[i].Color = i % 8
	}
	switch n := len(lines); {
	case n > MaxLines:
		c.Note = fmt.Sprintf("the first %d of %d series", MaxLines, n)
	case n == 0 && failed == "":
		c.Note = "no series"
	}
	return c
}

// unitOf guesses the unit from the form of the expression.
func unitOf(expr string) Unit {
	if strings.HasPrefix(expr, "histogram_quantile(") && strings.Contains(expr, "_seconds") {
		return Seconds
	}
	return Number
}
