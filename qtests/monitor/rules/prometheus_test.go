package rules_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests/event"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/rules"
)

const prometheusFile = `
global:
  scrape_interval: 15s
  evaluation_interval: 30s
  external_labels: {cluster: eu, host: "${QTESTS_HOST}-1"}
  query_log_file: /var/log/queries
alerting:
  alertmanagers: []
rule_files: [rules/*.yml, more.yml, none/*.yml]
scrape_configs:
- job_name: shop
  honor_labels: true
  relabel_configs: []
  static_configs:
  - targets: ["a:80", "b:80"]
    labels: {env: test, __scheme__: https}
- job_name: db
  scrape_interval: 5s
  static_configs:
  - targets: ["c:5432"]
    labels: {instance: primary}
- job_name: pods
  kubernetes_sd_configs: [{role: pod}]
`

// files writes files into a directory, and returns the path of the first.
func files(t *testing.T, texts ...string) string {
	dir := t.TempDir()
	for i := 0; i < len(texts); i += 2 {
		path := filepath.Join(dir, texts[i])
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(texts[i+1]), 0o644))
	}
	return filepath.Join(dir, texts[0])
}

func TestPrometheusFile(t *testing.T) {
	t.Setenv("QTESTS_HOST", "test")
	path := files(t, "prometheus.yml", prometheusFile,
		"rules/a.yml", "groups: [{name: a, rules: [{alert: Down, expr: up == 0, for: 1m, annotations: {summary: '{{ $labels.instance }} in {{ $externalLabels.cluster }}'}}]}]",
		"rules/b.yml", "groups: [{name: b, interval: 20s, rules: [{record: jobs, expr: count by (job) (up)}]}]",
		"more.yml", "groups: [{name: c, interval: 1m, rules: [{alert: None, expr: jobs < 1}]}]")
	p, err := rules.ReadPrometheus(path)
	require.NoError(t, err)
	require.Equal(t, 15*time.Second, p.Interval)
	require.Equal(t, 10*time.Second, p.Timeout)
	require.Equal(t, map[string]string{"cluster": "eu", "host": "test-1"}, p.ExternalLabels)
	require.Equal(t, []monitor.Target{
		{Job: "shop", Instance: "a:80", Labels: map[string]string{"env": "test"}, HonorLabels: true},
		{Job: "shop", Instance: "b:80", Labels: map[string]string{"env": "test"}, HonorLabels: true},
		{Job: "db", Instance: "primary", Labels: map[string]string{}},
	}, p.Targets)
	var every []time.Duration
	for _, r := range p.Rules {
		every = append(every, r.Every)
	}
	require.Equal(t, []time.Duration{30 * time.Second, 30 * time.Second, time.Minute}, every)
	dir := filepath.Dir(path)
	require.Equal(t, []string{
		"alerting", "global: query_log_file", "scrape_configs[0] (shop): relabel_configs", "scrape_configs[0] (shop): label __scheme__",
		"scrape_configs[0] (shop): label __scheme__", "scrape_configs[1] (db): scrape_interval, which differs from the global one",
		"scrape_configs[2] (pods): kubernetes_sd_configs", "rule_files: none/*.yml, which no file matches",
		filepath.Join(dir, "rules/b.yml") + `:1: group "b": the interval 20s, which is no multiple of the scrape interval 15s: it is 30s`,
	}, p.PassedOver)

	qtests.Run(t, func(q *qtests.T) {
		_, reg := gauge("errors")
		cfg, err := p.Config(func(job, instance string) prometheus.Gatherer {
			if job == "db" {
				return nil
			}
			return reg
		})
		require.NoError(q, err)
		require.Contains(q, p.PassedOver, "target db primary, for which there is no gatherer")
		m := monitor.NewT(q, cfg)
		stop, err := event.Schedule(q.Context(), q.Clock(), nil, m.Down("shop", "b:80").At(50*time.Second).For(2*time.Minute))
		require.NoError(q, err)
		q.Sleep(5 * time.Minute)
		require.NoError(q, stop())
		require.Equal(q, ""+
			"1m0s\tDown{env=\"test\",instance=\"b:80\",job=\"shop\"} inactive → pending\n"+
			"2m0s\tDown{env=\"test\",instance=\"b:80\",job=\"shop\"} pending → firing\n"+
			"3m0s\tDown{env=\"test\",instance=\"b:80\",job=\"shop\"} firing → resolved\n", m.Timeline("Down"))
		m.RequireNotFired(q, "None")
		none, err := p.Config(func(string, string) prometheus.Gatherer { return nil })
		require.ErrorContains(q, err, `no target of the file has a gatherer; there are ["shop a:80" "shop b:80" "db primary"]`)
		require.Empty(q, none.Targets)
	})
}

func TestPrometheusFileRefusals(t *testing.T) {
	const job = "scrape_configs:\n- job_name: shop\n"
	for text, want := range map[string]string{
		"global: [":                                     "yaml: line 1: did not find expected node content",
		"\t":                                            "yaml: found character that cannot start any token",
		"- a":                                           "line 1: cannot unmarshal !!seq",
		"global: {}\n---\nglobal: {}":                   "more than one document",
		"global: {}\nglobal: {}":                        `line 2: mapping key "global" already defined at line 1`,
		"global: []":                                    "line 1: cannot unmarshal !!seq into rules.global",
		"global: {scrape_interval: 1x}":                 `line 1: "1x" is not a duration such as 1h30m`,
		"global:\n  scrape_timeout: soon":               `line 2: "soon" is not a duration`,
		"global:\n  evaluation_interval: -1m":           `line 2: "-1m" is not a duration`,
		"global: {external_labels: [a]}":                "line 1: cannot unmarshal !!seq",
		"global:\n  external_labels: {a: [b]}":          "line 2: cannot unmarshal !!seq into string",
		"rule_files: shop.yaml":                         "line 1: cannot unmarshal !!str `shop.yaml` into []string",
		"rule_files: [nope.yml]":                        "rule_files: nope.yml is not there",
		"rule_files: ['[']":                             "rule_files: [: syntax error in pattern",
		"rule_files: [bad.yml]":                         `bad.yml:1: group "g": alert A: expr is missing`,
		"scrape_configs: {}":                            "line 1: cannot unmarshal !!map",
		"scrape_configs: [{static_configs: []}]":        "scrape_configs[0] (): line 1: a scrape config without a job_name",
		"scrape_configs:\n- shop":                       "scrape_configs[0] (): line 2: yaml: unmarshal errors:\n  line 2: cannot unmarshal !!str `shop`",
		"scrape_configs:\n- job_name: [a]":              "line 2: cannot unmarshal !!seq into string",
		job + "- job_name: shop":                        "scrape_configs[1] (shop): line 3: a scrape config before has the same job_name",
		job + "  scrape_interval: 5":                    `scrape_configs[0] (shop): line 2: line 3: "5" is not a duration`,
		job + "  scrape_timeout: 1y2":                   `scrape_configs[0] (shop): line 2: line 3: "1y2" is not a duration`,
		job + "  honor_labels: maybe":                   "line 3: cannot unmarshal !!str `maybe` into bool",
		job + "  static_configs: 3":                     "line 3: cannot unmarshal !!int `3`",
		job + "  static_configs: [{targets: a}]":        "line 3: cannot unmarshal !!str `a` into []string",
		job + "  static_configs:\n  - labels: [severe]": "line 4: cannot unmarshal !!seq",
	} {
		_, err := rules.ReadPrometheus(files(t, "prometheus.yml", text, "bad.yml", "groups: [{name: g, rules: [{alert: A}]}]"))
		assert.ErrorContains(t, err, want, text)
		assert.ErrorContains(t, err, "prometheus.yml: ", text)
	}
	p, err := rules.ReadPrometheus(files(t, "empty.yml", ""))
	require.NoError(t, err)
	require.Equal(t, time.Minute, p.Interval)
	_, err = rules.ReadPrometheus("no such file")
	require.ErrorContains(t, err, "no such file")
}
