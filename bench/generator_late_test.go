package bench

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// answers is a server that takes so long.
type answers time.Duration

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(time.Duration(a))
	return &http.Response{StatusCode: http.StatusOK, Request: r, Body: io.NopCloser(strings.NewReader("ok"))}, nil
}

// In a bubble nobody is late unless the server makes him wait: what is measured of
// generators in real time is zero there for each of them.
func TestNobodyIsLateInABubble(t *testing.T) {
	j := job{URL: "http://server", Rate: 2000, Duration: time.Second}
	client := func() *http.Client { return &http.Client{Transport: answers(10 * time.Millisecond)} }
	for name, do := range map[string]func() (outcome, error){
		"qtests": func() (outcome, error) { return j.run(j.get(client())) },
		"vegeta": func() (outcome, error) { return j.attack(vegeta.NewAttacker(vegeta.Client(client()))) },
	} {
		synctest.Test(t, func(t *testing.T) {
			out, err := do()
			require.NoError(t, err, name)
			require.InDelta(t, 2000, out.Requests, 1, name) // vegeta makes one after the end
			require.Zero(t, out.LateP99, name)
		})
	}
	// Ten workers make half as many requests: request i is due after i/2 and made after i milliseconds.
	synctest.Test(t, func(t *testing.T) {
		out, err := j.attack(vegeta.NewAttacker(vegeta.Client(client()), vegeta.Workers(10), vegeta.MaxWorkers(10)))
		require.NoError(t, err)
		require.InDelta(t, 1000, out.Requests, 10)
		require.InDelta(t, 495*time.Millisecond, out.LateP99, float64(5*time.Millisecond))
	})
}

func TestNearestRank99(t *testing.T) {
	require.Zero(t, nearestRank99(nil))
	require.EqualValues(t, 7, nearestRank99([]time.Duration{7}))
	var values []time.Duration
	for i := range 200 {
		values = append(values, time.Duration(200-i))
	}
	require.EqualValues(t, 198, nearestRank99(values))
	require.EqualValues(t, 199, nearestRank99(append(values, 201)))
}
