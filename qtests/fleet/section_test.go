package fleet_test

import (
	"context"
	"database/sql"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/degrade"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/fleet"
	"github.com/go-qtests/qtests/qtests/fleet/rollout"
	"github.com/go-qtests/qtests/qtests/fleet/route"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/pool/fakesql"
	"github.com/go-qtests/qtests/qtests/section"
	"github.com/go-qtests/qtests/qtests/shed"
)

// parts is a fleet with everything that has a section.
type parts struct {
	fleet *fleet.Fleet
	db    *fakesql.Fake
	gate  *shed.Gate
	meter *degrade.Meter
}

func newParts(q *qtests.T) (p parts) {
	p.db = fakesql.NewT(q, fakesql.Config{Name: "db", Max: 4})
	p.db.On("SELECT name FROM items WHERE id = ?").Rows(sqlmock.NewRows([]string{"name"}).AddRow("soap"))
	p.db.WatchQueries()
	var err error
	p.gate, err = shed.New(shed.Config{Name: "door", Clock: q.Clock(), Limit: shed.Fixed(2)})
	require.NoError(q, err)
	p.meter = degrade.NewMeter(degrade.MeterConfig{Name: "shop"})
	db := p.db.DB()
	shop := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for id := range 3 {
			if err := db.QueryRowContext(r.Context(), "SELECT name FROM items WHERE id = ?", id).Scan(new(string)); err != nil && err != sql.ErrNoRows {
				http.Error(w, err.Error(), 500)
			}
		}
		if strings.HasSuffix(r.URL.Path, "old") {
			degrade.Mark(r.Context(), "tips")
		}
		q.Sleep(10 * time.Millisecond)
	})
	p.fleet = fleet.NewT(q, fleet.Config{
		Name: "shop", Replicas: 2, Policy: route.PowerOfTwo, Life: fleet.Life{Readiness: fleet.Probe{Listening: true, Period: time.Second}, PreStop: 2 * time.Second},
		New: func(*fleet.Instance) http.Handler { return p.meter.Handler(p.gate.Handler(fakesql.Requests(shop))) },
	})
	return p
}

// What a fleet, a gate, a meter and the fake of SQL tell is in the summary, in the report and in the JSON of a run.
func TestSectionsOfARun(t *testing.T) {
	if testing.Short() {
		t.Skip("-short sends a tenth of the load, and the figures here are those of the whole")
	}
	qtests.Run(t, func(q *qtests.T) {
		p := newParts(q)
		res := load.Run(q, load.Scenario{
			Traffic: traffic.Rate(20).For(time.Minute), Sections: []section.Source{p.fleet, p.gate, p.meter, p.db},
			Do: func(_ context.Context, u *load.User) error {
				_, _, err := get(p.fleet.Client(), map[bool]string{true: "/old", false: "/"}[u.Request()%10 == 0])
				return err
			},
			Events: []event.Event{
				event.New("scale", func() { p.fleet.Scale(5) }, nil).At(20 * time.Second),
				p.fleet.Crash(fleet.Named("shop-1")).At(10*time.Second + 20*time.Millisecond),
				p.fleet.Deploy(fleet.Release{Version: "v2"}, rollout.Update{}).At(30 * time.Second),
			},
		})
		checkSections(q, res)
		var page, kept strings.Builder
		require.NoError(q, res.WriteHTML(&page))
		require.NoError(q, res.WriteJSON(&kept))
		again, err := result.Read(strings.NewReader(kept.String()))
		require.NoError(q, err)
		require.Equal(q, res.String(), again.String())
		for _, want := range []string{"fleet shop: instances", "fleet shop: routing by route.PowerOfTwo", "fleet shop: replicas", "gate door: classes", "answers of shop: how good", "asked of db: statements"} {
			require.Contains(q, page.String(), want)
		}
	})
}

func checkSections(q *qtests.T, res *result.Result) {
	text := res.String()
	for _, want := range []string{
		"\n  fleet shop\n  requests: 1,200 offered = 1,200 answered + 0 refused + 0 failed + 0 in flight\n",
		"\n  routing by route.PowerOfTwo\n", "first attempts                   1,200\n", "20s     2   5  by hand\n", "30s  ", "  complete  5 of 5 available\n",
		"\n  gate door\n  limit 2, 1,200 of 1,200 requests served\n", "\n  answers of shop\n", "degraded      120    10%\n", "  tips        120    10%\n",
		"\n  asked of db\n  1,200 requests; at most 3 statements in one: ", "SELECT name FROM items WHERE id = ?  3,600 ", "\n  repeated in one request with other arguments (N+1)\n",
	} {
		require.Contains(q, text, want)
	}
	require.Len(q, res.Sections, 4)
	chart := res.Sections[0].Charts[0]
	require.Equal(q, "wanted", chart.Curves[1].Name)
	require.Equal(q, []float64{2, 5}, []float64{chart.Curves[1].Values[0], chart.Curves[1].Values[239]})
	for k, v := range chart.Curves[1].Values {
		require.Equal(q, time.Duration(k+1)*chart.Curves[1].Width > 20*time.Second, v == 5, "%d: %v", k, v)
	}
}

type telling func() section.Section

func (f telling) Section(_, _ time.Time) section.Section { return f() }

// A source that panics or tells nonsense does not end the run; it is told.
func TestBadSections(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		s := load.Scenario{
			Traffic: traffic.Rate(1).For(time.Second), Do: func(context.Context, *load.User) error { return nil },
			Sections: []section.Source{
				telling(func() section.Section { panic("oops") }),
				telling(func() section.Section {
					return section.Section{Title: "mine", Tables: []section.Table{{Title: "t", Head: []string{"a"}, Rows: [][]string{{}}}}}
				}),
			},
		}
		res, err := load.Try(q, s)
		require.NoError(q, err)
		require.EqualValues(q, 1, res.Panics)
		require.Contains(q, res.FirstPanic, "panic: oops, in Sections[0]")
		require.Contains(q, res.String(), `section "mine": table "t": row 0 has 0 cells, and the head 1`)
		s.Sections = []section.Source{nil}
		_, err = load.Try(q, s)
		require.EqualError(q, err, "load: Scenario.Sections[0]: nil tells nothing")
	})
}
