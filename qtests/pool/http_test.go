package pool

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
)

func get(ctx context.Context, c *http.Client, url string) (status int, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), errors.Join(err, resp.Body.Close())
}

func TestHTTPLimitsConnectionsPerHost(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		pay := NewHTTP(q, HTTPConfig{Name: "pay", Max: 2, Latency: qtests.Fixed(40 * time.Millisecond)})
		pay.On("GET", "/charge", httpmock.NewStringResponder(200, "ok"))
		start := q.Clock().Now()
		var mu sync.Mutex
		ended := map[string][]time.Duration{}
		for range 4 {
			for _, host := range []string{"http://a", "http://b"} {
				q.Clock().AfterFunc(0, func() {
					status, body, err := get(context.Background(), pay.Client(), host+"/charge")
					if status != 200 || body != "ok" || err != nil {
						q.Errorf("%d %s %v", status, body, err)
					}
					mu.Lock()
					defer mu.Unlock()
					ended[host] = append(ended[host], q.Clock().Now().Sub(start))
				})
			}
		}
		q.Sleep(time.Second)
		want := []time.Duration{40 * time.Millisecond, 40 * time.Millisecond, 80 * time.Millisecond, 80 * time.Millisecond}
		require.Equal(q, map[string][]time.Duration{"http://a": want, "http://b": want}, ended)
		require.Equal(q, map[string]uint64{"GET /charge": 8}, pay.Calls())
		require.Equal(q, 2, pay.Stats().Hosts["a"].Idle)
		require.Equal(q, uint64(4), pay.Stats().Hosts["b"].Waited)
	})
}

func TestHTTPOutageOnATimeline(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		pay := NewHTTP(q, HTTPConfig{Name: "pay", Latency: qtests.Fixed(30 * time.Second)})
		pay.On("GET", "/charge", httpmock.NewStringResponder(200, "ok"))
		stop, err := qtests.Schedule(context.Background(), q.Clock(), q.EventLog(),
			pay.Outage().At(10*time.Minute).For(90*time.Second))
		require.NoError(q, err)
		defer stop()
		try := func(at time.Duration) (time.Duration, error) {
			q.Sleep(at - q.Elapsed())
			_, _, err := get(context.Background(), pay.Client(), "http://pay/charge")
			return q.Elapsed(), err
		}
		end, err := try(9 * time.Minute)
		require.NoError(q, err)
		require.Equal(q, 9*time.Minute+30*time.Second, end)

		end, err = try(10*time.Minute - 10*time.Second) // is cut off under way
		require.ErrorIs(q, err, ErrOutage)
		require.ErrorIs(q, err, syscall.ECONNRESET)
		require.Equal(q, 10*time.Minute, end)

		end, err = try(11 * time.Minute) // is refused at once
		require.ErrorIs(q, err, syscall.ECONNREFUSED)
		require.Equal(q, 11*time.Minute, end)

		_, err = try(10*time.Minute + 90*time.Second)
		require.NoError(q, err)
		marks, _ := q.EventLog().Marks()
		var texts []string
		for _, m := range marks {
			if m.Source == "event" {
				texts = append(texts, m.Text)
			}
		}
		require.Equal(q, []string{"pay: outage: begins", "pay: outage: ends"}, texts)
	})
}
