package result

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A long story keeps its end: that is where things have recovered, or have not.
func TestMarksKeepHeadAndTail(t *testing.T) {
	for _, c := range []struct{ n, room, first, hidden int }{
		{0, 24, 0, 0}, {1, 24, 1, 0}, {24, 24, 24, 0}, {25, 24, 12, 1}, {10_000, 24, 12, 9976}, {6, 5, 2, 1},
	} {
		first, hidden := headAndTail(c.n, c.room)
		require.Equal(t, []int{c.first, c.hidden}, []int{first, hidden}, c)
	}
	var r Result
	for i := range 1000 {
		r.Marks = append(r.Marks, Mark{Offset: time.Duration(i) * time.Second, Source: "outage", Text: fmt.Sprintf("mark %d", i)})
	}
	text := r.String()
	for i, want := range map[int]bool{0: true, 11: true, 12: false, 987: false, 988: true, 999: true} {
		require.Equal(t, want, strings.Contains(text, fmt.Sprintf("mark %d\n", i)), "mark %d of\n%s", i, text)
	}
	require.Regexp(t, `mark 11\n +… +976 more\n +16m28s +outage +mark 988\n`, text)
	var page strings.Builder
	require.NoError(t, r.WriteHTML(&page))
	for i, want := range map[int]bool{0: true, 249: true, 250: false, 749: false, 750: true, 999: true} {
		require.Equal(t, want, strings.Contains(page.String(), fmt.Sprintf("<td>mark %d</td>", i)), "mark %d", i)
	}
	require.Contains(t, page.String(), "500 more, which the charts show")
}
