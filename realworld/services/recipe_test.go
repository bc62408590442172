package services

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
)

// A Log has what a scenario did, each line with the fake time to the nanosecond. One goroutine writes it.
type Log struct {
	start time.Time
	lines []string
}

func (l *Log) at() time.Duration { return time.Since(l.start) }

// Addf adds a line.
func (l *Log) Addf(format string, args ...any) {
	l.lines = append(l.lines, fmt.Sprintf("%v ", l.at())+fmt.Sprintf(format, args...))
}

// recipe runs a scenario 20 times on the ordered runtime, and requires one outcome of it; on the stock one twice, with
// what it asserts.
func recipe(t *testing.T, scenario func(q *qtests.T, log *Log)) {
	t.Helper()
	first, runs, ordered := "", 2, false
	for run := 1; run <= runs; run++ {
		log := &Log{}
		qtests.Run(t, func(q *qtests.T) {
			if ordered = q.Order().Runtime; ordered {
				runs = 20
			}
			log.start = time.Now()
			scenario(q, log)
		})
		require.GreaterOrEqual(t, len(log.lines), 10)
		if text := strings.Join(log.lines, "\n"); run == 1 {
			first = text
		} else if ordered {
			require.Equal(t, first, text, "run %d differs from the first", run)
		}
	}
	t.Logf("%d runs, one outcome if ordered: %v", runs, ordered)
}
