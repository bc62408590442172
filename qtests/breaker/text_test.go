package breaker_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/breaker"
)

func TestStatesAndModesAreTexts(t *testing.T) {
	type both struct {
		State breaker.State
		Mode  breaker.Mode
	}
	for _, v := range []both{
		{breaker.Closed, breaker.Automatic}, {breaker.Open, breaker.ForcedOpen}, {breaker.HalfOpen, breaker.ForcedClosed},
		{breaker.Open, breaker.Observing}, {breaker.Closed, breaker.Recording},
	} {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf(`{"State":%q,"Mode":%q}`, v.State.String(), v.Mode.String()), string(text))
		var back both
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, v, back)
	}
	require.Equal(t, "closed open half-open State(3)", fmt.Sprint(breaker.Closed, breaker.Open, breaker.HalfOpen, breaker.State(3)))
	require.Equal(t, "automatic forced-open forced-closed observing recording Mode(5)", fmt.Sprint(
		breaker.Automatic, breaker.ForcedOpen, breaker.ForcedClosed, breaker.Observing, breaker.Recording, breaker.Mode(5)))

	_, err := breaker.State(3).MarshalText()
	require.EqualError(t, err, "breaker: State(3) does not exist")
	_, err = breaker.Mode(5).MarshalText()
	require.EqualError(t, err, "breaker: Mode(5) does not exist")
	var s breaker.State
	require.EqualError(t, s.UnmarshalText([]byte("ajar")), `breaker: "ajar" is none of ["closed" "open" "half-open"]`)
	var m breaker.Mode
	require.ErrorContains(t, m.UnmarshalText([]byte("Observing")), `"Observing" is none of ["automatic" `)
}

func TestStatsAsJSON(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{Name: "x"})
	b.SetMode(breaker.ForcedOpen)
	text, err := json.Marshal(b.Stats())
	require.NoError(t, err)
	require.Contains(t, string(text), `"State":"open","Mode":"forced-open"`)
	text, err = json.Marshal(b.Transitions())
	require.NoError(t, err)
	require.Contains(t, string(text), `"Breaker":"x","From":"closed","To":"open"`)
}

// Printing a breaker while others use it is no race, for no verb. The race detector judges.
func TestPrintingABreakerInUse(t *testing.T) {
	b, clk := newBreaker(t, breaker.Config{Name: "payments", ResetTimeout: time.Second})
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 200 {
			results(b, "sf")
			clk.Add(time.Second)
		}
	})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%q", "%x"} {
		wg.Go(func() {
			for range 50 {
				require.Contains(t, fmt.Sprintf(verb, b), "breaker payments: ")
			}
		})
	}
	wg.Wait()
	b.SetMode(breaker.ForcedOpen)
	require.Equal(t, "breaker payments: open, forced-open", fmt.Sprint(b))
	b.SetMode(breaker.Automatic)
	clk.Add(time.Hour)
	require.Equal(t, "breaker payments: open, automatic", fmt.Sprint(b), "printing is no look")
	require.Equal(t, breaker.HalfOpen, b.State())
	require.Equal(t, "<nil>", fmt.Sprint((*breaker.Breaker)(nil)))
	require.NotPanics(t, func() { _ = fmt.Sprintf("%+v", breaker.Config{Hooks: new(breaker.Hooks)}) })
}

// A name is what the user's system calls the other side, which need not be UTF-8.
func TestNamesThatAreNoText(t *testing.T) {
	h := newByHand(t)
	names := []string{"a\xff", "a\xfe", `a\xff`, `"a\xff"`, "line\nbreak", "nul\x00", "grün"}
	labels := []string{`"a\xff"`, `"a\xfe"`, `a\xff`, `"\"a\\xff\""`, "line\nbreak", "nul\x00", "grün"}
	for i, name := range names {
		b := breaker.NewT(h, breaker.Config{Name: name})
		b.Trip()
		require.Equal(t, name, b.Stats().Name)
		require.Equal(t, name, b.Transitions()[0].Breaker)
		require.Contains(t, fmt.Sprint(b), labels[i])
		marks, _ := h.log.Marks()
		require.Equal(t, "breaker "+labels[i], marks[i].Source)
	}
}
