// Package job writes tables for the page that GitHub shows of a job.
package job

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/tb"
)

// Variable names the file that GitHub shows on the page of a job.
const Variable = "GITHUB_STEP_SUMMARY"

// Tell adds a heading and a table to the page of the job, where there is one. The first row is the head.
func Tell(t tb.TB, heading string, rows [][]string) {
	name := os.Getenv(Variable)
	if name == "" {
		return
	}
	if err := add(name, "### "+heading+"\n\n"+markdown(rows)+"\n"); err != nil {
		t.Logf("load: %s: %v", Variable, err)
	}
}

// add adds a text to a file.
func add(name, content string) error {
	file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.WriteString(content)
	return errors.Join(err, file.Close())
}

// markdown writes rows as a table; the first one is the head.
func markdown(rows [][]string) string {
	var b strings.Builder
	for i, row := range rows {
		b.WriteString("| " + strings.Join(clean(row), " | ") + " |\n")
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(row)) + "|\n")
		}
	}
	return b.String()
}

var special = strings.NewReplacer("|", `\|`, "<", "&lt;", "`", "'")

// clean returns the cells of a row on one line each, without what Markdown would take for its own.
func clean(row []string) []string {
	cells := slices.Clone(row)
	for i := range cells {
		cells[i] = special.Replace(text.OneLine(cells[i]))
	}
	return cells
}

// TellFailure adds the reasons and the figures of a run that failed.
func TellFailure(t tb.TB, r *result.Result) {
	reasons := r.Reasons()
	if len(reasons) == 0 {
		return
	}
	rows := [][]string{{"what", "found"}}
	for _, why := range reasons {
		rows = append(rows, []string{"why", why})
	}
	rows = append(rows, []string{"requests", text.Grouped(r.Finished)}, []string{"p99", text.Short(r.Response.Percentile(99))},
		[]string{"errors", fmt.Sprintf("%.4g%%", 100*r.ErrorRate())}, []string{"repeat with", r.Repeat})
	Tell(t, fmt.Sprintf("%s failed in %s", r.Scenario, t.Name()), rows)
}
