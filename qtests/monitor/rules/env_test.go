package rules

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/monitor"
)

func TestFromEnv(t *testing.T) {
	env := func(pairs ...string) func(string) string {
		return func(name string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1]
				}
			}
			return ""
		}
	}
	cfg, err := fromEnv(env())
	require.NoError(t, err)
	require.False(t, cfg.Disabled)
	require.Equal(t, 10*time.Second, cfg.Interval)
	var exprs []string
	for _, r := range cfg.Rules {
		exprs = append(exprs, r.Expr)
	}
	require.Equal(t, []string{
		`100 * sum(rate(load_requests_total{result="error"}[1m])) / sum(rate(load_requests_total[1m])) > 5`,
		`1000 * histogram_quantile(0.95, sum by (le) (rate(load_response_seconds_bucket[1m]))) > 1000`,
		`100 * real_memory_used_bytes / real_memory_limit_bytes > 85`,
	}, exprs)

	cfg, err = fromEnv(env("MONITORING_ENABLED", "false", "MONITORING_INTERVAL", "250", "ALERT_ERROR_RATE", "0", "ALERT_RESPONSE_TIME", "0.5", "ALERT_MEMORY_USAGE", "100"))
	require.NoError(t, err)
	require.True(t, cfg.Disabled)
	require.Equal(t, 250*time.Millisecond, cfg.Interval)
	require.Contains(t, cfg.Rules[0].Expr, "> 0")
	require.Contains(t, cfg.Rules[1].Expr, "> 0.5")
	m, err := monitor.New(cfg)
	require.NoError(t, err)
	m.Close()

	for name, bad := range map[string][]string{
		"MONITORING_ENABLED":  {"maybe", "2"},
		"MONITORING_INTERVAL": {"0", "-1", "1.5", "10s", "86400001", "NaN"},
		"ALERT_ERROR_RATE":    {"-1", "101", "x", "NaN"},
		"ALERT_RESPONSE_TIME": {"0", "-3", "1s", "Inf"},
		"ALERT_MEMORY_USAGE":  {"0", "100.1", "85%"},
	} {
		for _, value := range bad {
			_, err := fromEnv(env(name, value))
			require.ErrorContains(t, err, name, value)
			require.ErrorContains(t, err, value)
		}
	}
	_, err = fromEnv(env("MONITORING_ENABLED", "x", "ALERT_ERROR_RATE", "y"))
	require.ErrorContains(t, err, "MONITORING_ENABLED")
	require.ErrorContains(t, err, "ALERT_ERROR_RATE", "all of them are named")
}
