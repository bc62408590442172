package fake_test

import (
	"strings"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/pool/fakehttp"
	"github.com/go-qtests/qtests/qtests/pool/fakesql"
)

// Fakes of both kinds share a registry, and the metrics of their pools carry
// their own names.
func TestFakesInOneRegistry(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		reg := prometheus.NewRegistry()
		db, pay, ship := fakesql.NewT(q, fakesql.Config{Name: "db"}), fakehttp.NewT(q, fakehttp.Config{Name: "pay"}), fakehttp.NewT(q, fakehttp.Config{Name: "ship"})
		for _, c := range []prometheus.Collector{db, pay, ship} {
			require.NoError(q, reg.Register(c))
		}
		db.On("SELECT 1").Rows(sqlmock.NewRows([]string{"n"}).AddRow(1))
		var n int
		err := db.DB().QueryRow("SELECT 1").Scan(&n)
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
