package keep

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/event"
)

// The last marks are kept, and how many there were before them.
func TestTheLastMarks(t *testing.T) {
	log := event.NewLog(nil)
	begin := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for n := 1; n <= maxMarks+2; n++ {
		log.Add(begin, "shop", fmt.Sprint("number ", n))
		text := marks(log)
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if n <= maxMarks {
			require.Len(t, lines, n)
			require.Equal(t, "2024-01-01 00:00:00.000000  shop  number 1", lines[0])
			continue
		}
		require.Len(t, lines, maxMarks+1)
		require.Equal(t, fmt.Sprintf("… %d before", n-maxMarks), lines[0])
		require.Equal(t, fmt.Sprintf("2024-01-01 00:00:00.000000  shop  number %d", n-maxMarks+1), lines[1])
	}
	for range event.DefaultLogSize {
		log.Add(begin, "shop", "more")
	}
	require.True(t, strings.HasSuffix(marks(log), fmt.Sprintf("  more\n… %d were dropped: the log was full\n", maxMarks+2)))
}
