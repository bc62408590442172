package section_test

import (
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/section"
)

// workers tells the report of a run how many workers there were.
type workers struct {
	changes []section.Step // in order
}

func (w workers) Section(start, end time.Time) section.Section {
	return section.Section{
		Title:  "workers",
		Lines:  []string{fmt.Sprintf("%d changes", len(w.changes))},
		Charts: []section.Chart{{Title: "workers", Unit: section.Number, Curves: []section.Curve{section.Steps("workers", start, end, 4, 1, w.changes)}}},
	}
}

func Example() {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	w := workers{[]section.Step{{At: start.Add(90 * time.Second), Value: 3}, {At: start.Add(150 * time.Second), Value: 2}}}
	s, err := w.Section(start, start.Add(4*time.Minute)).Bounded()
	if err != nil {
		panic(err)
	}
	curve := s.Charts[0].Curves[0]
	fmt.Println(s.Lines[0], curve.Width, curve.Values)
	// Output:
	// 2 changes 1m0s [1 3 3 2]
}
