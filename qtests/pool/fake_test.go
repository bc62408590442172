package pool

import (
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/fixtures"
	"github.com/go-qtests/qtests/qtests"
)

// Fakes of both kinds share a registry, and the metrics of their pools carry
// their own names.
func TestFakesInOneRegistry(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		reg := prometheus.NewRegistry()
		db, pay, ship := NewSQL(q, SQLConfig{Name: "db"}), NewHTTP(q, HTTPConfig{Name: "pay"}), NewHTTP(q, HTTPConfig{Name: "ship"})
		for _, c := range []prometheus.Collector{db, pay, ship} {
			require.NoError(q, reg.Register(c))
		}
		db.On(priceQuery).Rows(prices(1))
		_, err := price(q.Context(), db.DB(), 1)
		require.NoError(q, err)
		require.NoError(q, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP fake_calls_total Calls of a fake that have ended, by result.
# TYPE fake_calls_total counter
fake_calls_total{fake="db",result="canceled"} 0
fake_calls_total{fake="db",result="error"} 0
fake_calls_total{fake="db",result="ok"} 2
fake_calls_total{fake="pay",result="canceled"} 0
fake_calls_total{fake="pay",result="error"} 0
fake_calls_total{fake="pay",result="ok"} 0
fake_calls_total{fake="ship",result="canceled"} 0
fake_calls_total{fake="ship",result="error"} 0
fake_calls_total{fake="ship",result="ok"} 0
# HELP pool_resources Resources by state; one that is being checked counts as constructing.
# TYPE pool_resources gauge
pool_resources{pool="db",state="constructing"} 0
pool_resources{pool="db",state="idle"} 1
pool_resources{pool="db",state="in_use"} 0
pool_resources{pool="pay",state="constructing"} 0
pool_resources{pool="pay",state="idle"} 0
pool_resources{pool="pay",state="in_use"} 0
pool_resources{pool="ship",state="constructing"} 0
pool_resources{pool="ship",state="idle"} 0
pool_resources{pool="ship",state="in_use"} 0
`), "fake_calls_total", "pool_resources"))
	})
}

func TestRowsFromFixtures(t *testing.T) {
	db := NewSQL(t, SQLConfig{})
	db.On("SELECT * FROM sections").Rows(fixtures.Rows(t, "sections.csv"))
	rows, err := db.DB().Query("SELECT * FROM sections")
	require.NoError(t, err)
	columns, err := rows.Columns()
	require.NoError(t, err)
	require.NotEmpty(t, columns)
	n := 0
	for rows.Next() {
		n++
	}
	require.NoError(t, rows.Close())
	require.Positive(t, n)
}

func TestFakeCountsABoundedNumberOfOperations(t *testing.T) {
	f := NewFake(t, FakeConfig{})
	for i := range maxOps + 5 {
		require.NoError(t, f.Do(t.Context(), fmt.Sprint(i), nothing))
	}
	require.Len(t, f.Stats().Ops, maxOps+1)
	require.Equal(t, uint64(5), f.Stats().Ops["other"])
}
