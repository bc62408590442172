package qtests

import (
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/userline"
)

// quiet reports whether the run reports to a search alone.
func (q *T) quiet() bool {
	x := q.run.config.explore
	return x != nil && x.Quiet
}

// failed takes note of the first failure of a run, at a place of the user.
func (q *T) failed(kind, text string) {
	if q.failing.Load() != nil {
		return
	}
	where := ""
	if stack := q.cleaning.Load(); stack != nil {
		where = userline.Of(*stack)
	}
	if here := userline.Of(userline.Stack()); here != "" {
		where = here
	}
	first := q.failing.CompareAndSwap(nil, &explore.Failure{Kind: kind, Text: firstLine(text), Where: where, Full: text})
	if changed := changedSettings(); first && changed != "" && !q.sealed.Load() && !q.quiet() {
		userline.Print(q.TB.Output(), "qtests", "settings other than the default: %s", changed)
	}
}

// failure says how a run failed, or nil.
func (b *bubbleRun) failure(o outcome) *explore.Failure {
	if b.q == nil {
		return nil
	}
	f := b.q.failing.Load()
	switch {
	case f != nil:
		return f
	case len(o.problems) > 0:
		kind := o.kind
		if kind == "" {
			kind = "failure"
		}
		text := strings.TrimPrefix(strings.TrimPrefix(firstLine(o.problems[0]), "qtests: "), kind+": ")
		return &explore.Failure{Kind: kind, Text: text, Full: o.problems[0]}
	case o.failed:
		return &explore.Failure{Kind: "race", Text: "the race detector, or the test, says no more"}
	}
	return nil
}

// firstLine is the first line of a text that has something in it.
func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimLeft(text, "\n"), "\n")
	return line
}
