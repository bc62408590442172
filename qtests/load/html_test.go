package load

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
)

// outage is a scenario with something to see in every chart but those of a
// monitor.
func outage(q *qtests.T) Scenario {
	var down atomic.Bool // the requests are goroutines
	stream := qtests.StreamOf(q, "latency")
	latency := qtests.LogNormal(8*time.Millisecond, 60*time.Millisecond)
	return Scenario{
		Name:    "shop",
		Profile: Rate(0).To(50, time.Minute).For(8*time.Minute).To(0, time.Minute),
		Timeout: time.Second,
		Steps: []Step{
			{Name: "browse", Weight: 3, Do: func(ctx context.Context, u *User) error {
				return u.Sleep(ctx, latency.Sample(stream.At(uint64(u.Request()))))
			}},
			{Name: "checkout", Do: func(ctx context.Context, u *User) error {
				if down.Load() && u.Request()%3 == 0 {
					return errors.New("payments: 503 Service Unavailable")
				}
				if down.Load() {
					return u.Sleep(ctx, time.Hour)
				}
				return u.Sleep(ctx, 2*latency.Sample(stream.At(uint64(u.Request()))))
			}},
		},
		Events: []qtests.Event{qtests.NewEvent("payments: outage", func() {
			down.Store(true)
			q.EventLog().Add(q.Clock().Now().Add(2*time.Second), "breaker payments", "closed → open: 5 consecutive failures")
			q.EventLog().Add(q.Clock().Now().Add(32*time.Second), "breaker payments", "open → half-open: timeout")
			q.EventLog().Add(q.Clock().Now().Add(33*time.Second), "breaker payments", "half-open → open: probe failed")
			q.EventLog().Add(q.Clock().Now().Add(50*time.Second), "alert PaymentsDown", "inactive → pending")
			q.EventLog().Add(q.Clock().Now().Add(70*time.Second), "alert PaymentsDown", "pending → firing")
		}, func() {
			down.Store(false)
			q.EventLog().Add(q.Clock().Now().Add(3*time.Second), "breaker payments", "open → half-open: timeout")
			q.EventLog().Add(q.Clock().Now().Add(4*time.Second), "breaker payments", "half-open → closed: 1 success")
			q.EventLog().Add(q.Clock().Now().Add(20*time.Second), "alert PaymentsDown", "firing → resolved")
		}).At(4 * time.Minute).For(90 * time.Second)},
		Thresholds: []string{"p(99)<=1s", "step(browse).p(95)<50ms", "errors<50%", "dropped==0"},
	}
}

func TestReportIsOneFileAndTheSameEveryTime(t *testing.T) {
	var pages, texts, jsons [3]string
	for i := range pages {
		qtests.Run(t, func(q *qtests.T) {
			res := Run(q, outage(q))
			path := res.WriteHTML(q)
			html, err := os.ReadFile(path)
			require.NoError(t, err)
			j, err := res.JSON()
			require.NoError(t, err)
			pages[i], texts[i], jsons[i] = string(html), res.Text(), string(j)
			if keep := os.Getenv("QTESTS_KEEP_REPORT"); keep != "" {
				require.NoError(t, os.WriteFile(keep, html, 0o644))
			}
			again, err := ReadResult(strings.NewReader(jsons[i]))
			require.NoError(t, err)
			var fromJSON bytes.Buffer
			require.NoError(t, again.HTML(&fromJSON))
			require.Equal(t, pages[i], fromJSON.String(), "the report needs nothing but the JSON")
		})
	}
	for i := range pages {
		require.Equal(t, pages[0], pages[i])
		require.Equal(t, texts[0], texts[i])
		require.Equal(t, jsons[0], jsons[i])
	}
	for _, outside := range []string{"http://", "https://", "src=", "@import", "url("} {
		require.NotContains(t, strings.ReplaceAll(pages[0], "http://www.w3.org/2000/svg", ""), outside)
	}
	require.Contains(t, pages[0], "payments: outage")
	require.Contains(t, pages[0], `"bands":[{"from":240,"to":330`)
}
