package fake

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/internal/faulttest"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func nothing(context.Context) error { return nil }

func TestVocabulary(t *testing.T) {
	const s = time.Second
	injected := "fake: GET: fake: injected error"
	refused := "fake: GET: fake: outage: connection refused"
	cut := "fake: GET: fake: outage: connection reset by peer"
	for _, c := range []struct {
		name  string
		event func(*Fake) event.Event // from 10s to 20s
		calls []time.Duration         // each takes 1s
		want  []string
	}{
		{"outage", func(f *Fake) event.Event { return f.Outage() },
			[]time.Duration{8 * s, 9500 * time.Millisecond, 15 * s, 20 * s},
			[]string{"9s <nil>", "10s " + cut, "15s " + refused, "21s <nil>"}},
		{"slow", func(f *Fake) event.Event { return f.Slow(3.5) },
			[]time.Duration{9500 * time.Millisecond, 15 * s, 19 * s, 20 * s},
			[]string{"10.5s <nil>", "18.5s <nil>", "21s <nil>", "22.5s <nil>"}},
		{"error rate", func(f *Fake) event.Event { return f.ErrorRate(1) },
			[]time.Duration{9500 * time.Millisecond, 15 * s, 20 * s},
			[]string{"10.5s <nil>", "16s " + injected, "21s <nil>"}},
		{"freeze", func(f *Fake) event.Event { return f.Freeze() },
			[]time.Duration{8 * s, 9500 * time.Millisecond, 15 * s, 19500 * time.Millisecond, 20 * s},
			[]string{"9s <nil>", "20s <nil>", "20s <nil>", "20.5s <nil>", "21s <nil>"}},
		{"flap", func(f *Fake) event.Event { return f.Flap(3*s, 2*s) }, // down 13–15 and 18–20
			[]time.Duration{10 * s, 12500 * time.Millisecond, 14 * s, 15 * s, 16500 * time.Millisecond, 18500 * time.Millisecond, 21 * s},
			[]string{"11s <nil>", "13s " + cut, "14s " + refused, "16s <nil>", "17.5s <nil>", "18.5s " + refused, "22s <nil>"}},
		{"brownout", func(f *Fake) event.Event { return f.Brownout(1) },
			[]time.Duration{9500 * time.Millisecond, 9600 * time.Millisecond, 10 * s, 10100 * time.Millisecond, 20 * s, 20 * s},
			[]string{"10.5s <nil>", "10.6s <nil>", "11.6s <nil>", "12.6s <nil>", "21s <nil>", "21s <nil>"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				f := NewT(q, Config{Max: 3, Latency: latency.Fixed(time.Second)})
				seen := &faulttest.Calls{Q: q}
				faulttest.Schedule(q, c.event(f).At(10*s).For(10*s))
				for i, offset := range c.calls {
					// Half a microsecond later per call keeps the order of the list.
					faulttest.At(q, offset, func() { q.Clock().Sleep(time.Duration(i)); seen.Do(f.Wrap("GET", nothing)) })
				}
				q.Sleep(time.Minute)
				for i, a := range seen.Ended() { // those nanoseconds again
					d, rest, _ := cutSpace(a)
					seen.Ended()[i] = fmt.Sprint(d.Round(time.Microsecond), " ", rest)
				}
				require.Equal(q, c.want, seen.Ended())
				st := f.Stats()
				require.Equal(q, st.Calls.Calls, st.Calls.OK+st.Calls.Failed)
				require.Equal(q, uint64(len(c.calls)), st.Ops["GET"])
			})
		})
	}
}

func cutSpace(s string) (time.Duration, string, error) {
	for i := range s {
		if s[i] == ' ' {
			d, err := time.ParseDuration(s[:i])
			return d, s[i+1:], err
		}
	}
	return 0, s, errors.New("no space")
}

func TestFlapIsInTheEventLog(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := NewT(q, Config{Name: "redis"})
		faulttest.Schedule(q, f.Flap(2*time.Second, time.Second).At(time.Second).For(6*time.Second))
		q.Sleep(time.Minute)
		marks, _ := q.EventLog().Marks()
		var got []string
		for _, m := range marks {
			got = append(got, fmt.Sprint(m.At.Sub(q.Clock().Now().Add(-time.Minute)), " ", m.Source, " ", m.Text))
		}
		require.Equal(q, []string{
			"1s event redis: flapping, 2s up, 1s down: begins",
			"3s event redis: goes down", "4s event redis: comes up", "6s event redis: goes down",
			"7s event redis: flapping, 2s up, 1s down: ends",
		}, got)
	})
}

func TestContextEndsAFrozenCall(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := NewT(q, Config{Latency: latency.Fixed(time.Second)})
		f.Freeze().Begin()
		ctx, cancel := q.Clock().WithTimeout(context.Background(), 90*time.Second)
		defer cancel()
		require.Equal(q, context.DeadlineExceeded, f.Do(ctx, "GET", nothing))
		require.Equal(q, 90*time.Second, q.Elapsed())
		require.Equal(q, Calls{Calls: 1, Canceled: 1}, f.Stats().Calls)
	})
}

// Calls cut off or let go together go on one after the other, in the order in
// which they began to wait.
func TestMassWakeIsInOrder(t *testing.T) {
	for _, name := range []string{"outage", "freeze"} {
		t.Run(name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				f := NewT(q, Config{Latency: latency.Fixed(time.Second)})
				var mu sync.Mutex
				var order []int
				for i := range 100 {
					faulttest.At(q, time.Duration(i)*time.Millisecond, func() {
						_ = f.Do(context.Background(), "GET", nothing)
						mu.Lock()
						defer mu.Unlock()
						order = append(order, i)
					})
				}
				event := f.Outage()
				if name == "freeze" {
					event = f.Freeze()
				}
				faulttest.Schedule(q, event.At(500*time.Millisecond).For(2*time.Second))
				q.Sleep(time.Minute)
				var want []int
				for i := range 100 {
					want = append(want, i)
				}
				require.Equal(q, want, order)
			})
		})
	}
}

func TestFaultsRejectMeaninglessParameters(t *testing.T) {
	for want, f := range map[string]func(*Fake){
		"fake: fake: Slow: 0 is not a finite number above 0":      func(f *Fake) { f.Slow(0) },
		"fake: fake: Slow: +Inf is not a finite number above 0":   func(f *Fake) { f.Slow(math.Inf(1)) },
		"fake: fake: ErrorRate: 1.5 is not between 0 and 1":       func(f *Fake) { f.ErrorRate(1.5) },
		"fake: fake: Flap: up: 0s is not above 0":                 func(f *Fake) { f.Flap(0, time.Second) },
		"fake: fake: Brownout: 0 is not above 0":                  func(f *Fake) { f.Brownout(0) },
		"fake: fake GET: Errors: 2 is not between 0 and 1":        func(f *Fake) { f.On("GET").Errors(2, ErrInjected) },
		"fake: fake GET: Errors: <nil> is no error":               func(f *Fake) { f.On("GET").Error(nil) },
		"fake: fake GET: Latency: latency: Fixed(-1ns): negative": func(f *Fake) { f.On("GET").Latency(latency.Fixed(-1)) },
	} {
		rec := tbtest.Run("t", func(t *tbtest.TB) {
			f(NewT(t, Config{}))
			t.Errorf("went on")
		})
		require.Equal(t, want, rec.Errors())
	}
}

func TestConfigErrors(t *testing.T) {
	for want, cfg := range map[string]Config{
		"fake: Config.Max: -1 is negative":                     {Max: -1},
		"fake: Config.MaxWaiters: 1 needs a Max":               {MaxWaiters: 1},
		"fake: Config.AcquireTimeout: -1ns is negative":        {AcquireTimeout: -1},
		"fake: Config.Latency: latency: Fixed(-1ns): negative": {Latency: latency.Fixed(-1)},
		"fake: Config.ErrorRate: 2 is not between 0 and 1":     {ErrorRate: 2},
		"fake: Config.Error: fake: outage needs an ErrorRate":  {Error: ErrOutage},
	} {
		rec := tbtest.Run("t", func(t *tbtest.TB) { NewT(t, cfg) })
		require.Equal(t, want, rec.Errors())
	}
}
