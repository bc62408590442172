package promql_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/promql"
	"github.com/go-qtests/qtests/promql/alertmanager"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/coverage"
	"github.com/go-qtests/qtests/qtests/monitor/dashboard"
	"github.com/go-qtests/qtests/qtests/monitor/notify"
	"github.com/go-qtests/qtests/qtests/monitor/rules"
)

// A platform is a small service with the metrics that public rule sets read: three members
// of an etcd, one Loki, and the node under them.
type platform struct {
	leader, filesAvail, filesSize, readonly *prometheus.GaugeVec
	changes, grpc                           *prometheus.CounterVec
	fsync                                   *prometheus.HistogramVec
	loki                                    *prometheus.HistogramVec
	etcd, log, node                         *prometheus.Registry
}

func newPlatform() *platform {
	gauge := func(name string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: name}, labels)
	}
	counter := func(name string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: name}, labels)
	}
	histogram := func(name string, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: name, Buckets: prometheus.ExponentialBuckets(0.001, 2, 14)}, labels)
	}
	p := &platform{
		leader: gauge("etcd_server_has_leader"), changes: counter("etcd_server_leader_changes_seen_total"),
		grpc: counter("grpc_server_handled_total", "grpc_code", "grpc_method", "grpc_service", "grpc_type"), fsync: histogram("etcd_disk_wal_fsync_duration_seconds"),
		loki:       histogram("loki_request_duration_seconds", "route", "method", "status_code"),
		filesAvail: gauge("node_filesystem_avail_bytes", "device", "fstype", "mountpoint"), filesSize: gauge("node_filesystem_size_bytes", "device", "fstype", "mountpoint"),
		readonly: gauge("node_filesystem_readonly", "device", "fstype", "mountpoint"),
		etcd:     prometheus.NewRegistry(), log: prometheus.NewRegistry(), node: prometheus.NewRegistry(),
	}
	p.etcd.MustRegister(p.leader, p.changes, p.grpc, p.fsync)
	p.log.MustRegister(p.loki)
	p.node.MustRegister(p.filesAvail, p.filesSize, p.readonly)
	return p
}

func (p *platform) targets() (out []monitor.Target) {
	for i := range 3 {
		out = append(out, monitor.Target{Job: "etcd", Instance: fmt.Sprintf("etcd-%d:2379", i), Labels: map[string]string{"namespace": "store"}, Gatherer: p.etcd})
	}
	return append(out,
		monitor.Target{Job: "loki/read", Instance: "loki-0:3100", Labels: map[string]string{"namespace": "loki", "cluster": "test"}, Gatherer: p.log},
		monitor.Target{Job: "node-exporter", Instance: "node-0:9100", Labels: map[string]string{"namespace": "monitoring"}, Gatherer: p.node})
}

// tick is what happens in ten seconds. In the outage the disk is slow and fills up: etcd has
// no leader, and Loki fails every second request.
func (p *platform) tick(i int, outage bool, used float64) {
	leader, code, seconds, status := 1.0, "OK", 0.004, "200"
	if outage {
		leader, code, seconds = 0, "Unavailable", 2
		if i%2 == 0 {
			status = "500"
		}
	}
	p.leader.WithLabelValues().Set(leader)
	p.changes.WithLabelValues().Add(1 - leader)
	p.grpc.WithLabelValues(code, "Range", "etcdserverpb.KV", "unary").Add(50)
	for range 5 {
		p.fsync.WithLabelValues().Observe(seconds)
	}
	p.loki.WithLabelValues("loki_api_v1_query", "GET", status).Observe(20 * seconds)
	disk := []string{"/dev/vda1", "ext4", "/"}
	p.filesSize.WithLabelValues(disk...).Set(100e9)
	p.filesAvail.WithLabelValues(disk...).Set(100e9 * (1 - used))
	p.readonly.WithLabelValues(disk...).Set(0)
}

// TestPublicRules puts rule files of any team under an outage of the platform, and tells
// which alerts fired when and who was told. QTESTS_RULES are the files, with commas between
// them; QTESTS_ALERTMANAGER, if it is set, is the alertmanager.yml.
//
//	QTESTS_RULES=…/etcd/alerts.yaml go test -run '^TestPublicRules$' -v -artifacts .
func TestPublicRules(t *testing.T) {
	files := os.Getenv("QTESTS_RULES")
	if files == "" {
		t.Skip("QTESTS_RULES is not set: files with rules about etcd, Loki or node_exporter, with commas between them")
	}
	suite := coverage.Suite{Files: strings.Split(files, ","), Out: t.Output(), M: runner(func() { publicRules(t, strings.Split(files, ",")) })}
	require.Zero(t, suite.Run())
}

type runner func()

func (r runner) Run() int { r(); return 0 }

func publicRules(t *testing.T, files []string) {
	qtests.Run(t, func(q *qtests.T) {
		p, told := newPlatform(), &notify.Recorder{}
		cfg := monitor.Config{Interval: 15 * time.Second, Targets: p.targets(), Compile: promql.NewEngine().Compile, Channels: []monitor.Channel{told}}
		cfg.Panels = []string{`sum by (status_code) (rate(loki_request_duration_seconds_count[2m]))`, `node_filesystem_avail_bytes / node_filesystem_size_bytes`, `up`}
		for _, file := range files {
			found, err := rules.Read(file)
			require.NoError(q, err)
			cfg.Rules = append(cfg.Rules, found...)
		}
		if path := os.Getenv("QTESTS_ALERTMANAGER"); path != "" {
			routes, err := alertmanager.Read(path)
			require.NoError(q, err)
			channels := map[string][]monitor.Channel{}
			for _, r := range routes.Receivers {
				channels[r.Name] = []monitor.Channel{told}
			}
			require.NoError(q, routes.Apply(&cfg, channels))
		}
		mon := monitor.NewT(q, cfg)
		stop, err := event.Schedule(q.Context(), q.Clock(), nil,
			mon.Down("etcd", "etcd-1:2379").At(time.Hour).For(30*time.Minute), mon.Down("etcd", "etcd-2:2379").At(time.Hour).For(30*time.Minute))
		require.NoError(q, err)
		for i := range 4 * 360 { // an hour, half an hour of outage, the recovery
			used := min(0.98, 0.5+0.48*max(0, float64(i-300))/120)
			if i > 700 {
				used = 0.4
			}
			p.tick(i, i >= 360 && i < 540, used)
			q.Sleep(10 * time.Second)
			if i == 500 {
				savePage(q, mon)
			}
		}
		require.NoError(q, stop())
		for _, r := range mon.Rules() {
			require.NoError(q, r.Err, "%s: %s", r.Origin, r.Name+r.Record)
		}
		q.Logf("what fired:\n%s", mon.Timeline())
		for _, n := range told.Notifications() {
			q.Logf("%v %s: %s", n.At.Sub(mon.Start()), n.Receiver, n)
		}
	})
}

// savePage keeps the dashboard as it is in the outage.
func savePage(q *qtests.T, mon *monitor.Monitor) {
	w := httptest.NewRecorder()
	dashboard.Handler(mon).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	path := filepath.Join(q.ArtifactDir(), "dashboard.html")
	require.NoError(q, os.WriteFile(path, w.Body.Bytes(), 0o600))
	q.Logf("the page in the outage: %s", path)
}
