package fleet

import (
	"fmt"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/field"
)

func TestCountsAddUp(t *testing.T) {
	c := Counts{Offered: 10, Answered: 4, Refused: 3, Failed: 2, InFlight: 1}
	require.True(t, c.Balanced())
	require.Equal(t, uint64(5), c.Lost())
	require.InDelta(t, 4.0/9, c.Goodput(), 1e-12)
	require.InDelta(t, 1, Counts{Offered: 3, InFlight: 3}.Goodput(), 0)
	for _, wrong := range []Counts{{Offered: 9}, {Answered: 3}, {Refused: 2}, {Failed: 1}, {InFlight: 2}} {
		d := c
		switch {
		case wrong.Offered > 0:
			d.Offered = wrong.Offered
		case wrong.Answered > 0:
			d.Answered = wrong.Answered
		case wrong.Refused > 0:
			d.Refused = wrong.Refused
		case wrong.Failed > 0:
			d.Failed = wrong.Failed
		default:
			d.InFlight = wrong.InFlight
		}
		require.False(t, d.Balanced(), d)
	}
}

func TestBoundsOfAPlan(t *testing.T) {
	good := Plan{For: 1, Every: 1}
	require.NoError(t, good.check())
	for want, p := range map[string]Plan{
		"For": {Every: 1}, "Every": {For: 1}, "Crashes": {For: 1, Every: 1, Crashes: math.NaN()}, "Factor": {For: 1, Every: 1, Factor: 1},
		"finite": {For: 1, Every: 1, Factor: math.Inf(1)},
	} {
		require.ErrorContains(t, p.check(), want)
	}
	good.Factor = math.Nextafter(1, 2)
	require.NoError(t, good.check())
}

func TestBoundsOfAScaling(t *testing.T) {
	values, each := map[string]func() (float64, error){"x": nil}, map[string]func(*Instance) (float64, error){"x": nil}
	check := func(s Scaling) error {
		c := field.Check("fleet: Config")
		s.check(c)
		return c.Result()
	}
	require.NoError(t, check(Scaling{}))
	for _, s := range []Scaling{{Values: values}, {PerInstance: each}, {Values: values, PerInstance: each}} {
		require.ErrorContains(t, check(s), "uses no values, and there are some")
	}
	require.NoError(t, check(Scaling{Requests: map[string]float64{"cpu": 0.5}}))
	for _, wrong := range []float64{0, -1, math.Inf(1), math.NaN()} {
		require.ErrorContains(t, check(Scaling{Requests: map[string]float64{"cpu": wrong}}), "is not a number above 0")
	}
}

// What a release leaves open is the fleet's, and what it says has the defaults.
func TestReleaseIsCompleted(t *testing.T) {
	f := &Fleet{cfg: Config{Version: "v1", Capacity: Capacity{Concurrency: 3}, Life: Life{Grace: time.Minute, NoEndpointLag: true}}}
	f.cfg.New = func(*Instance) http.Handler { return nil }
	same, err := f.complete(Release{Version: "v2"})
	require.NoError(t, err)
	require.Equal(t, f.cfg.Life, *same.Life)
	require.Equal(t, f.cfg.Capacity, *same.Capacity)
	life, err := f.complete(Release{Version: "v2", Life: &Life{PreStop: time.Second}})
	require.NoError(t, err)
	require.Equal(t, Life{PreStop: time.Second}.withDefaults(), *life.Life)
	require.Equal(t, DefaultGrace, life.Life.Grace)
	require.Equal(t, f.cfg.Capacity, *life.Capacity)
	small, err := f.complete(Release{Version: "v2", Capacity: &Capacity{Concurrency: 1}})
	require.NoError(t, err)
	require.Equal(t, 1, small.Capacity.Concurrency)
	require.Equal(t, DefaultContainer, small.Capacity.Container)
	require.Equal(t, f.cfg.Life, *small.Life)
	_, err = f.complete(Release{})
	require.ErrorContains(t, err, "is no version")
	_, err = f.complete(Release{Version: "v2", Life: &Life{Grace: -1}})
	require.ErrorContains(t, err, "Life.Grace")
}

// A process counts the requests that come to it, and the fleet says a thousand things once.
func TestRequestsOfAProcess(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := NewT(q, Config{New: func(*Instance) http.Handler { return http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}) }})
		for n := range uint64(3) {
			resp, err := f.Client().Get("http://fleet/")
			require.NoError(q, err)
			require.NoError(q, resp.Body.Close())
			require.Equal(q, n+1, f.Instances()[0].process.requests)
		}
		said := 0
		for range 2 {
			for key := range 1002 {
				f.once(fmt.Sprint(key), func() { said++ })
			}
		}
		require.Equal(q, 1000, said)
	})
}
