package fleet_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/fleet"
	"github.com/go-qtests/qtests/qtests/fleet/rollout"
	"github.com/go-qtests/qtests/qtests/fleet/route"
)

// marked are the texts of the event log with a word.
func marked(q *qtests.T, word string) (texts []string) {
	all, _ := q.EventLog().Marks()
	for _, m := range all {
		if strings.Contains(m.Text, word) {
			texts = append(texts, m.Text)
		}
	}
	return texts
}

// A deployment says what it does when that changes, and how it ended.
func TestDeploymentIsToldOnce(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{New: hello(0), Replicas: 3, Life: sound})
		f.Deploy(fleet.Release{Version: "v2"}, rollout.Update{}).Begin()
		q.Sleep(5 * time.Minute)
		told := marked(q, "v2: ")
		require.NotEmpty(q, told)
		seen := map[string]bool{}
		for _, text := range told {
			require.False(q, seen[text], "%q is told twice", text)
			seen[text] = true
		}
		require.Contains(q, told[len(told)-1], rollout.Complete.String())
		require.Len(q, f.Section(q.Clock().Now(), q.Clock().Now()).Lines, 1, "nothing was scaled")
	})
}

// What is under way when the grace ends is told; an instance with nothing to do goes without a word.
func TestKilledWithRequestsUnderWay(t *testing.T) {
	for _, busy := range []bool{false, true} {
		qtests.Run(t, func(q *qtests.T) {
			f := fleet.NewT(q, fleet.Config{New: hello(time.Minute), Replicas: 1, Life: fleet.Life{Grace: 5 * time.Second, NoEndpointLag: true}})
			if busy {
				for range 2 {
					q.Go(func() { _, _, _ = get(f.Client(), "/") })
				}
			}
			q.Sleep(time.Second)
			f.Scale(0)
			q.Sleep(time.Minute) // the handlers go on to their end
			var want []string
			if busy {
				want = []string{"fleet-1: is killed with 2 under way"}
			}
			require.Equal(q, want, marked(q, "is killed"))
		})
	}
}

// An instance that has been up for ten minutes begins its back-off anew.
func TestBackOffBeginsAnew(t *testing.T) {
	for _, c := range []struct{ up, wait time.Duration }{{backOffReset + time.Second, 0}, {backOffReset - time.Second, 20 * time.Second}} {
		qtests.Run(t, func(q *qtests.T) {
			var starts []time.Duration
			f := fleet.NewT(q, fleet.Config{ColdStart: true, New: func(i *fleet.Instance) http.Handler {
				starts = append(starts, q.Elapsed().Round(time.Second))
				return hello(0)(i)
			}})
			crash := func(after time.Duration) {
				q.Sleep(after)
				f.Crash(fleet.Everyone()).Begin()
				q.Sleep(time.Minute)
			}
			crash(time.Second)
			crash(0)
			last := starts[len(starts)-1]
			crash(c.up - time.Minute + 10*time.Second)
			require.Equal(q, last+c.up+c.wait, starts[len(starts)-1])
		})
	}
}

const backOffReset = 10 * time.Minute

// The instance that has failed a request does not get it again, though its key leads there.
func TestRetryGoesElsewhere(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{Replicas: 3, Policy: route.Hash(0), Retry: fleet.Retry{Max: 1}, New: func(i *fleet.Instance) http.Handler {
			if i.Name() == "fleet-2" {
				return status(503)(i)
			}
			return hello(0)(i)
		}})
		for key := range 30 {
			_, code, err := get(f.Client(), fmt.Sprint("/", key))
			require.NoError(q, err)
			require.Equal(q, 200, code, key)
		}
		require.NotZero(q, f.Stats().Instances[1].Attempts.Offered, "some keys lead there")
	})
}

func TestVersionsAreSelected(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{New: hello(0), Replicas: 2})
		f.Crash(fleet.OfVersion("v2")).Begin()
		q.Sleep(time.Minute)
		require.Equal(q, 1, f.Stats().Instances[0].Starts)
		f.Crash(fleet.OfVersion("v1")).Begin()
		q.Sleep(time.Minute)
		require.Equal(q, 2, f.Stats().Instances[0].Starts)
		require.Equal(q, 2, f.Stats().Instances[1].Starts)
	})
}
