package result

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/report"
)

func TestBandsEndWithTheAxis(t *testing.T) {
	r := &Result{Elapsed: 10 * time.Second, Duration: time.Hour, Halted: "enough", Marks: []Mark{
		{5 * time.Second, "event", "a: begins"}, {11 * time.Second, "event", "b: begins"}, {12 * time.Second, "event", "a: ends early"}}}
	require.Equal(t, []report.Band{{From: 5, To: 10, Text: "a"}}, r.bands(10*time.Second))
}
