package fault

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
)

// An outage may begin, and even end, after a call was let through and before its line is attached.
func TestALineStruckOnItsWayIsCut(t *testing.T) {
	for name, ends := range map[string]bool{"it lasts": false, "it is over": true} {
		t.Run(name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				e, f := newEngine(q)
				outage := f.Event("outage", Fault{Kind: Outage})
				var line Line
				line.prepare(e, &Call{Op: "GET"}, nil)
				done, err := e.enter(context.Background(), &line.place, false)
				require.False(q, done)
				require.NoError(q, err)
				done, err = e.poll(&line.place, true)
				require.True(q, done)
				require.NoError(q, err)

				outage.Begin()
				if ends {
					outage.End()
				}
				e.finish(&line.place, passed, &line)
				require.Error(q, line.Err())
				require.True(q, isClosed(line.Cut()))
				require.False(q, line.place.listed)
				line.Detach()
			})
		})
	}
}
