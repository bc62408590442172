package accesslog

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// columns are those that a line #Fields: of a W3C extended log names, as of IIS and CloudFront. names is
// empty as long as there was no such line.
type columns struct {
	names []string
	date  string // of the line #Date:, for logs without a column of that name
}

// columnNames are the columns of each field, the best first.
var columnNames = fieldNames{
	client: []string{"c-ip", "x-forwarded-for"},
	method: []string{"cs-method"},
	path:   []string{"cs-uri-stem", "cs-uri"},
	query:  []string{"cs-uri-query"},
	status: []string{"sc-status"},
	bytes:  []string{"sc-bytes"},
}

// isDirective reports whether a line says something about the lines after it.
func isDirective(line string) bool {
	name, _, ok := strings.Cut(strings.TrimPrefix(line, "#"), ":")
	return ok && line[0] == '#' && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") == ""
}

// direct takes a directive.
func (c *columns) direct(line string) {
	name, value, _ := strings.Cut(line[1:], ":")
	switch strings.ToLower(name) {
	case "fields":
		c.names = strings.Fields(value)
	case "date":
		c.date, _, _ = strings.Cut(strings.TrimSpace(value), " ")
	}
}

// ofColumns reads a line whose columns are named.
func (r *reader) ofColumns(line string) (e Entry, err error) {
	values := words(line)
	if strings.Contains(line, "\t") {
		values = strings.Split(line, "\t")
	}
	if len(values) != len(r.columns.names) {
		return e, fmt.Errorf("%d columns, and #Fields names %d", len(values), len(r.columns.names))
	}
	row := map[string]any{}
	for i, name := range r.columns.names {
		if value := unquoted(values[i]); value != "-" {
			row[name] = value
		}
	}
	if e.At, err = r.columnTime(row); err != nil {
		return e, err
	}
	return e, r.fill(&e, row, columnNames)
}

// columnTime is the time of a line, in UTC: of the column of Fields.Time, or of date and time.
func (r *reader) columnTime(row map[string]any) (time.Time, error) {
	if r.Fields.Time != "" {
		s := find(row, []string{r.Fields.Time})
		if s == "" {
			return time.Time{}, missing("time", []string{r.Fields.Time})
		}
		return r.times.any(s)
	}
	date, clock := find(row, []string{"date"}), find(row, []string{"time"})
	if date == "" {
		date = r.columns.date
	}
	at, err := time.Parse(time.DateTime, date+" "+clock)
	if err != nil {
		return at, fmt.Errorf("no time: %q in the columns date and time is not like %s", text.Clip(date+" "+clock, 40), time.DateTime)
	}
	return at, nil
}
