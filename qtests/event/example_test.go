package event_test

import (
	"context"
	"fmt"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/event"
)

// A maintenance window turns writes off for ten minutes, an hour from now.
func Example() {
	clk, log := clock.NewMock(), event.NewLog(nil)
	readOnly := false
	window := event.New("maintenance", func() { readOnly = true }, func() { readOnly = false })
	stop, err := event.Schedule(context.Background(), clk, log, window.At(time.Hour).For(10*time.Minute))
	if err != nil {
		panic(err)
	}
	clk.Add(2 * time.Hour)
	if err := stop(); err != nil {
		panic(err)
	}
	marks, _ := log.Marks()
	for _, m := range marks {
		fmt.Println(m.At.UTC().Format(time.TimeOnly), m.Source, m.Text)
	}
	fmt.Println("read only:", readOnly)
	// Output:
	// 01:00:00 event maintenance: begins
	// 01:10:00 event maintenance: ends
	// read only: false
}
