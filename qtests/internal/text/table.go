package text

import (
	"strings"
	"unicode/utf8"
)

// Table writes rows in columns. All rows have the same number of cells. A column is
// aligned to the right if its cell in the last row begins with a digit.
func Table(b *strings.Builder, rows [][]string) {
	widths := make([]int, len(rows[0]))
	right := make([]bool, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
			right[i] = cell != "" && cell[0] >= '0' && cell[0] <= '9'
		}
	}
	for _, row := range rows {
		line := " "
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if right[i] {
				line += " " + pad + cell + " "
			} else {
				line += " " + cell + pad + " "
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}
