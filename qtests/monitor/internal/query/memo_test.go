package query_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
	"github.com/go-qtests/qtests/qtests/monitor/internal/query"
)

// Expressions that share their parts give what they give alone, while series come and go and
// results are written between two evaluations of one instant.
func TestSharedPartsGiveTheSame(t *testing.T) {
	texts := []string{
		`sum({b="5"})`, // the results written below are of any metric
		`sum by (b) (rate(g[1m])) > 0`, `sum by (b) (rate(g[1m])) > 0.01`, `rate(g[1m]) > 0`, `-rate(g[1m])`, `-rate(g[1m]) < 0`,
		`sum(g) / count(g)`, `count(g) / sum(g)`, `max_over_time(sum(g)[1m:10s])`, `max_over_time(sum(g)[1m:10s]) + 1`,
		`sum(written)`, `sum(written) + 1`, `absent(g{b="9"})`, `absent(g{b="9"}) > 0`, `sum({b="1"})`, `sum({b="1"}) > 0`,
		`sum(g) by (b)`, `sum(g) by (b) > 1`, `time() + sum(rate(g[1m]))`, `rate(g[1m] @ end()) > 0`, `rate(g[1m] @ end())`,
		`sum({b="5"}) + 0`, `sum({b="5"})`, `sum(g) - scalar(sum(g)) + 1`, `sum(g) - scalar(sum(g)) + 2`,
	}
	var memo query.Memo
	var sharing, alone []*query.Expr
	for _, text := range texts {
		a, err := query.Parse(text)
		require.NoError(t, err, text)
		b, err := query.Parse(text)
		require.NoError(t, err, text)
		memo.Add(a)
		sharing, alone = append(sharing, a), append(alone, b)
	}
	st := history.New(history.Limits{Retention: 100 * second, Samples: 1, Series: 1000})
	r := rand.New(rand.NewPCG(1, 1))
	set := func(name string, b int, v float64) {
		s, err := st.Series(history.NewLabels(history.Label{Name: history.NameLabel, Value: name}, history.Label{Name: "b", Value: fmt.Sprint(b)}))
		require.NoError(t, err)
		st.Set(s, v)
	}
	elements := 0
	for row := range 600 {
		at := int64(row-row%3/2) * 10 * second // every third row is begun anew, some of them with nothing in it
		require.NoError(t, st.Begin(at))
		for b := range 12 {
			if (row/(20+b))%2 == 0 && row%9 != 2 {
				set("g", b, float64(r.IntN(100)))
			}
		}
		for i, e := range sharing {
			got, errGot := e.Eval(st, at)
			want, errWant := alone[i].Eval(st, at)
			require.Equal(t, errWant, errGot, texts[i])
			require.Equal(t, want, got, "%s at row %d", texts[i], row)
			elements += len(got.Points)
			set("written", i, float64(row))
		}
	}
	require.Greater(t, elements, 10_000, "the test shows nothing")
}

// A part that failed fails again, and what other instants gave does not come back.
func TestSharedPartsForgetInstants(t *testing.T) {
	st := load(t, "g{a=1} 1 2 3", "h{a=1} 1 _ 3")
	var memo query.Memo
	a, err := query.Parse(`sum(label_join(g, "__name__", "")) + 0`)
	require.NoError(t, err)
	b, err := query.Parse(`sum(label_join(g, "__name__", "")) + 1`)
	require.NoError(t, err)
	memo.Add(a)
	memo.Add(b)
	for _, at := range []int64{10, 30, 20, 10} {
		x, err := a.Eval(st, at*second)
		require.NoError(t, err)
		y, err := b.Eval(st, at*second)
		require.NoError(t, err)
		require.InDelta(t, float64(at)/10, x.Points[0].Value, 0)
		require.InDelta(t, float64(at)/10+1, y.Points[0].Value, 0)
	}
}
