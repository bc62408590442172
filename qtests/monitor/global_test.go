package monitor_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// Of two tests that scrape the registry of the process at once, the second fails.
func TestTheRegistryOfTheProcessAtOnce(t *testing.T) {
	scrape := func(name string, g prometheus.Gatherer, during func()) string {
		r := tbtest.Run(name, func(t *tbtest.TB) {
			monitor.NewT(t, monitor.Config{Disabled: true, Gatherers: []prometheus.Gatherer{g}})
			during()
		})
		return r.Errors()
	}
	nothing := func() {}
	all := prometheus.DefaultGatherer
	require.Empty(t, scrape("TestA", all, func() {
		require.Contains(t, scrape("TestB", all, nothing), "TestB scrapes prometheus.DefaultGatherer, the registry of the process, while TestA does")
		require.Empty(t, scrape("TestA", all, nothing), "one test may have two monitors")
		require.Empty(t, scrape("TestA/sub", all, nothing))
		require.NotEmpty(t, scrape("TestAB", all, nothing), "no subtest")
		require.Empty(t, scrape("TestC", prometheus.NewRegistry(), nothing))
		require.Empty(t, scrape("TestC", prometheus.GathererFunc(all.Gather), nothing), "it is meant")
	}))
	require.Empty(t, scrape("TestB", all, nothing), "one after the other")
	target := tbtest.Run("TestA", func(t *tbtest.TB) {
		monitor.NewT(t, monitor.Config{Disabled: true, Targets: []monitor.Target{{Job: "a", Instance: "b", Gatherer: all}}})
		require.NotEmpty(t, scrape("TestB", all, nothing))
	})
	require.False(t, target.Failed(), target.Errors())
}
