package k6

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// script exports a scenario of the requests.
func script(t *testing.T, s load.Scenario, requests ...Request) string {
	t.Helper()
	for i, r := range requests {
		s.Steps = append(s.Steps, r.Step(http.DefaultClient, 1+i))
	}
	var b bytes.Buffer
	require.NoError(t, Export(&b, s, requests...))
	return b.String()
}

func TestNamesOfScenarios(t *testing.T) {
	for name, want := range map[string]string{"azAZ09_-": "azAZ09_-", "@[`{/:": "______", "é\x7f": "__"} {
		require.Equal(t, want, identifier(name))
	}
}

// Rates become whole by a longer unit of time, and ramps that are joined have no jump between.
func TestRatesThatAreNotWhole(t *testing.T) {
	fifth := script(t, load.Scenario{Traffic: traffic.Rate(0.2).For(time.Minute)}, browse)
	require.Contains(t, fifth, `"rate": 1`)
	require.Contains(t, fifth, `"timeUnit": "5000ms"`)
	ramp := script(t, load.Scenario{Traffic: traffic.Rate(0.5).To(1.5, time.Second).To(3, time.Second).Jump(7.5).For(time.Second)}, browse)
	require.Contains(t, ramp, `"startRate": 1`)
	for _, target := range []string{`"target": 3`, `"target": 6`, `"target": 15`} {
		require.Contains(t, ramp, target)
	}
	require.Equal(t, 1, bytes.Count([]byte(ramp), []byte(`"duration": "0s"`)), "one jump")
	require.Contains(t, script(t, load.Scenario{Traffic: traffic.Rate(1e6).For(time.Second), MaxInFlight: 7}, browse), `"rate": 1000000`)
}

// A body and a timeout are in the script where there is one, and the steps take turns by their weights.
func TestStepsOfAScript(t *testing.T) {
	text := script(t, load.Scenario{Traffic: traffic.Rate(1).For(time.Second), Thresholds: []string{"errors<1% abort"}}, browse, pay, Request{Name: "x", URL: "https://shop.example.com/"})
	require.Contains(t, text, `"body": null`)
	require.Contains(t, text, `"body": "{`)
	require.Contains(t, text, `"timeout": "24h"`)
	require.NotContains(t, text, "delayAbortEval")
	require.Contains(t, text, "const turns = [2,1,0,2,1,2];")
}

// The step in Go takes the same answers as those of the script.
func TestStatusOfAStep(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(map[string]int{"/200": 200, "/201": 201, "/399": 399, "/400": 400}[r.URL.Path])
	}))
	defer srv.Close()
	defer srv.Client().CloseIdleConnections()
	for _, tc := range []struct {
		path   string
		status int
		ok     bool
	}{{"/200", 0, true}, {"/399", 0, true}, {"/400", 0, false}, {"/200", 201, false}, {"/201", 201, true}, {"/400", 400, true}} {
		r := Request{Name: "r", URL: srv.URL + tc.path, Status: tc.status}
		err := r.Do(srv.Client())(context.Background(), nil)
		require.Equal(t, tc.ok, err == nil, "%+v: %v", tc, err)
	}
}
