package result

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzReadResult(f *testing.F) {
	f.Add([]byte(`{"version":1,"response":{"unit":"us","sum":5,"min":5,"buckets":[[5,1]]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Read(bytes.NewReader(text))
		if err != nil {
			return
		}
		_ = r.String()
		var first, second bytes.Buffer
		require.NoError(t, r.WriteJSON(&first))
		again, err := Read(bytes.NewReader(first.Bytes()))
		require.NoError(t, err)
		require.NoError(t, again.WriteJSON(&second))
		require.Equal(t, first.String(), second.String())
	})
}

func TestReadResultErrors(t *testing.T) {
	for text, want := range map[string]string{"": "unexpected end", "{}": "has no version: it is not what Result.WriteJSON writes",
		`{"version":2}`: "is of version 2, and this qtests reads version 1: run the scenario again", "[]": "cannot unmarshal"} {
		_, err := Read(strings.NewReader(text))
		require.ErrorContains(t, err, want)
	}
}

// TestReadResultRefusesCountsOfNoRun has values that no run can leave.
func TestReadResultRefusesCountsOfNoRun(t *testing.T) {
	for text, want := range map[string]string{
		`"finished":-5`:                                                    "finished: -5 is negative",
		`"scheduled":-1`:                                                   "scheduled: -1 is negative",
		`"elapsed_ns":-1`:                                                  "elapsed_ns: -1 is negative",
		`"finished":1,"errors":2`:                                          "errors: 2 is more than finished, which is 1",
		`"interrupted":1,"abandoned":2`:                                    "abandoned: 2 is more than interrupted",
		`"steps":[{"name":"a","finished":-1}]`:                             `step or tag "a": finished: -1 is negative`,
		`"tags":[{"name":"a=b","errors":1}]`:                               `step or tag "a=b": errors: 1 is more than finished`,
		`"checks":[{"name":"c","passed":2,"total":1}]`:                     `check "c": passed: 2 is more than total`,
		`"checks":[{"name":"c","passed":-2}]`:                              `check "c": passed: -2 is negative`,
		`"error_kinds":[{"kind":"k","count":-1}]`:                          `error "k": count: -1 is negative`,
		`"thresholds":[{"threshold":"t","broken":1}]`:                      `threshold "t": broken: 1 is more than windows`,
		`"metrics":[{"name":"m","passed":1}]`:                              `metric "m": passed: 1 is more than samples`,
		`"timeline":[{"arrivals":-1}]`:                                     "timeline[0]: arrivals: -1 is negative",
		`"timeline":[{"within":[0,-3,0]}]`:                                 "timeline[0]: within: -3 is negative",
		`"timeline":[{"offset_ns":5},{"offset_ns":5}]`:                     "timeline[1]: offset_ns: 5ns is not after the one before it",
		`"timeline":[{"offset_ns":-5}]`:                                    "timeline[0]: offset_ns: -5ns is not after",
		`"heat":{"counts":[[1]],"tops_ns":[1]}`:                            "heat: 1 columns of width 0s with 1 rows",
		`"heat":{"counts":[[1]],"width_ns":1}`:                             "heat: 1 columns of width 1ns with 0 rows",
		`"heat":{"counts":[[1,2],[1]],"width_ns":1,"tops_ns":[1,2]}`:       "heat: column 1 has 1 rows of 2",
		`"baseline":{"version":9}`:                                         "baseline: is of version 9",
		`"steps":[{"name":"a"},{"name":"b","curve":[{"finished":1}]}]`:     `step or tag "b": interval_ns: 0s is not above 0`,
		`"steps":[{"name":"b","curve":[{"finished":1}],"interval_ns":-1}]`: `step or tag "b": interval_ns: -1ns is not above 0`,
		`"sections":[{"title":"a","charts":[{"title":"c","curves":[{"name":"x","width_ns":0}]}]}]`: `section "a": chart "c": curve "x": Width: 0s is not above 0`,
	} {
		_, err := Read(strings.NewReader(`{"version":1,` + text + `}`))
		require.ErrorContains(t, err, "load: result: "+want)
	}
	for range 20 { // the first by name, in whatever order a map has them
		_, err := Read(strings.NewReader(`{"version":1,"started":-1,"finished":-5,"dropped":-2}`))
		require.ErrorContains(t, err, "load: result: dropped: -2 is negative")
	}
	for _, text := range []string{
		`"timeline":[{},{"offset_ns":1}]`, `"heat":{"counts":[[1,2]],"width_ns":1,"tops_ns":[1,2]}`, `"baseline":{"version":1}`,
		`"steps":[{"name":"b","curve":[{"finished":1}],"interval_ns":1}]`,
	} {
		_, err := Read(strings.NewReader(`{"version":1,` + text + `}`))
		require.NoError(t, err, text)
	}
	_, err := Read(strings.NewReader("\ufeff" + `{"version":1,"finished":2,"errors":2}`))
	require.NoError(t, err, "a byte order mark is no part of the text")
}
