package scale

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2000, 1, 1, 12, 0, 0, 0, time.UTC)

// The cases of Kubernetes' TestReplicaCalc…: 2 minutes of CPUInit and 10 s of ReadinessDelay, cool pods
// started 3 minutes ago and hot ones now, samples with a window of a minute. Requests, levels and
// targets are in thousandths, a target below 1000 of a Resource in per cent.
type podCase struct {
	name     string
	replicas int
	want     int
	metric   Metric
	levels   []int64
	requests []int64 // 1000 each where it is nil
	unready  []int   // pods by number
	hot      []int
	failed   []int
	deleted  []int
	pending  []int
	pods     int // more than levels
	ratio    float64
}

func cpu(percent int) Metric { return Metric{Kind: Resource, Name: CPU, Utilization: percent} }

func qps(average float64) Metric { return Metric{Kind: Pods, Name: "qps", AverageValue: average} }

var podCases = []podCase{
	{name: "ScaleUp", replicas: 3, want: 5, metric: cpu(30), levels: []int64{300, 500, 700}, ratio: 50. / 30},
	{name: "ScaleUpUnreadyLessScale", replicas: 3, want: 4, metric: cpu(30), levels: []int64{300, 500, 700}, unready: []int{0}, ratio: 60. / 30},
	{name: "ScaleUpHotCpuLessScale", replicas: 3, want: 4, metric: cpu(30), levels: []int64{300, 500, 700}, hot: []int{0}, ratio: 60. / 30},
	{name: "ScaleUpUnreadyNoScale", replicas: 3, want: 3, metric: cpu(30), levels: []int64{400, 500, 700}, unready: []int{1, 2}, ratio: 40. / 30},
	{name: "ScaleHotCpuNoScale", replicas: 3, want: 3, metric: cpu(30), levels: []int64{400, 500, 700}, unready: []int{1, 2}, hot: []int{1, 2}, ratio: 40. / 30},
	{name: "ScaleUpIgnoresFailedPods", replicas: 2, want: 4, metric: cpu(30), levels: []int64{500, 700}, pods: 4, unready: []int{2, 3}, failed: []int{2, 3}, ratio: 2},
	{name: "ScaleUpIgnoresDeletionPods", replicas: 2, want: 4, metric: cpu(30), levels: []int64{500, 700}, pods: 4, unready: []int{2, 3}, deleted: []int{2, 3}, ratio: 2},
	{name: "ScaleUpCM", replicas: 3, want: 4, metric: qps(15), levels: []int64{20000, 10000, 30000}, ratio: 20. / 15},
	{name: "ScaleUpCMUnreadyHotCpuNoLessScale", replicas: 3, want: 6, metric: qps(15), levels: []int64{50000, 10000, 30000}, unready: []int{2}, hot: []int{2}, ratio: 2},
	{name: "ScaleUpCMUnreadyHotCpuScaleWouldScaleDown", replicas: 3, want: 7, metric: qps(15), levels: []int64{50000, 15000, 30000}, unready: []int{0, 2}, hot: []int{0, 2}, ratio: 31666. / 15000},
	{name: "ScaleDown", replicas: 5, want: 3, metric: cpu(50), levels: []int64{100, 300, 500, 250, 250}, ratio: 28. / 50},
	{name: "ScaleDownCM", replicas: 5, want: 3, metric: qps(20), levels: []int64{12000, 12000, 12000, 12000, 12000}, ratio: 0.6},
	{name: "ScaleDownIncludeUnreadyPods", replicas: 5, want: 2, metric: cpu(50), levels: []int64{100, 300, 500, 250, 250}, unready: []int{3, 4}, ratio: 30. / 50},
	{name: "ScaleDownExcludeUnscheduledPods", replicas: 5, want: 1, metric: cpu(50), levels: []int64{100}, pods: 5, unready: []int{1, 2, 3, 4}, pending: []int{1, 2, 3, 4}, ratio: 10. / 50},
	{name: "ScaleDownIgnoreHotCpuPods", replicas: 5, want: 2, metric: cpu(50), levels: []int64{100, 300, 500, 250, 250}, hot: []int{3, 4}, ratio: 30. / 50},
	{name: "ScaleDownIgnoresFailedPods", replicas: 5, want: 3, metric: cpu(50), levels: []int64{100, 300, 500, 250, 250}, pods: 7, unready: []int{5, 6}, failed: []int{5, 6}, ratio: 28. / 50},
	{name: "ScaleDownIgnoresDeletionPods", replicas: 5, want: 3, metric: cpu(50), levels: []int64{100, 300, 500, 250, 250}, pods: 7, unready: []int{5, 6}, deleted: []int{5, 6}, ratio: 28. / 50},
	{name: "Tolerance", replicas: 3, want: 3, metric: cpu(100), levels: []int64{1010, 1030, 1020}, requests: []int64{900, 1000, 1100}, ratio: 1.02},
	{name: "ToleranceCM", replicas: 3, want: 3, metric: qps(20), levels: []int64{20000, 21000, 21000}, ratio: 20666. / 20000},
	{name: "SuperfluousMetrics", replicas: 4, want: 24, metric: cpu(100), levels: []int64{4000, 9500, 3000, 7000}, ratio: 5.87},
	{name: "MissingMetrics", replicas: 4, want: 3, metric: cpu(100), levels: []int64{400, 95}, pods: 4, ratio: 0.24},
	{name: "MissingMetricsNoChangeEq", replicas: 2, want: 2, metric: cpu(100), levels: []int64{1000}, pods: 2, ratio: 1},
	{name: "MissingMetricsNoChangeGt", replicas: 2, want: 2, metric: cpu(100), levels: []int64{1900}, pods: 2, ratio: 1.9},
	{name: "MissingMetricsNoChangeLt", replicas: 2, want: 2, metric: cpu(100), levels: []int64{600}, pods: 2, ratio: 0.6},
	{name: "MissingMetricsUnreadyChange", replicas: 3, want: 3, metric: cpu(50), levels: []int64{100, 450}, pods: 3, unready: []int{0}, ratio: 45. / 50},
	{name: "MissingMetricsHotCpuNoChange", replicas: 3, want: 3, metric: cpu(50), levels: []int64{100, 450}, pods: 3, hot: []int{0}, ratio: 45. / 50},
	{name: "MissingMetricsUnreadyScaleUp", replicas: 3, want: 4, metric: cpu(50), levels: []int64{100, 2000}, pods: 3, unready: []int{0}, ratio: 4},
	{name: "MissingMetricsHotCpuScaleUp", replicas: 3, want: 4, metric: cpu(50), levels: []int64{100, 2000}, pods: 3, unready: []int{0}, hot: []int{0}, ratio: 4},
	{name: "MissingMetricsUnreadyScaleDown", replicas: 4, want: 3, metric: cpu(50), levels: []int64{100, 100, 100}, pods: 4, unready: []int{0}, ratio: 0.2},
	{name: "DuringRollingUpdateWithMaxSurge", replicas: 2, want: 2, metric: cpu(50), levels: []int64{100, 100}, pods: 3, ratio: 0.2},
}

func (tc podCase) status() Status {
	s := Status{Now: start, Replicas: tc.replicas}
	for i := range max(tc.pods, len(tc.levels)) {
		at := start.Add(-3 * time.Minute)
		if slices.Contains(tc.hot, i) {
			at = start
		}
		p := Pod{
			Name: fmt.Sprint("pod-", i), Started: at, Since: at, Ready: !slices.Contains(tc.unready, i), Deleted: slices.Contains(tc.deleted, i),
			Requests: map[string]float64{CPU: 1}, Samples: map[string]Sample{},
		}
		if tc.requests != nil {
			p.Requests[CPU] = float64(tc.requests[i]) / 1000
		}
		switch {
		case slices.Contains(tc.failed, i):
			p.Phase = Failed
		case slices.Contains(tc.pending, i):
			p.Phase = Pending
		}
		if i < len(tc.levels) {
			p.Samples[tc.metric.Name] = Sample{Value: float64(tc.levels[i]) / 1000, At: start, Window: time.Minute}
		}
		s.Pods = append(s.Pods, p)
	}
	return s
}

func kubernetes(t *testing.T, metrics ...Metric) HPA {
	t.Helper()
	h, err := HPA{Min: 1, Max: 1000, Metrics: metrics, CPUInit: 2 * time.Minute, ReadinessDelay: 10 * time.Second}.withDefaults()
	require.NoError(t, err)
	return h
}

// The metric of a container is the one of a pod, by another name: all cases of Resource come out the same.
func TestContainerMetricsAsKubernetes(t *testing.T) {
	for _, tc := range podCases {
		if tc.metric.Kind != Resource {
			continue
		}
		t.Run(tc.name, func(t *testing.T) {
			m := tc.metric
			m.Kind, m.Container = ContainerResource, "app"
			s := tc.status()
			for i := range s.Pods {
				p := &s.Pods[i]
				if x, ok := p.Samples[m.Name]; ok {
					p.Samples = map[string]Sample{"app/" + m.Name: x, "proxy/" + m.Name: {Value: 1000}}
				}
				p.Requests = map[string]float64{"app/" + m.Name: p.Requests[m.Name]}
			}
			got, ratio, text, err := kubernetes(t, m).perPod(m, s)
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
			require.InDelta(t, tc.ratio, ratio, 1e-9)
			require.Contains(t, text, "app/"+m.Name+" ")
		})
	}
}

func TestPodMetricsAsKubernetes(t *testing.T) {
	for _, tc := range podCases {
		t.Run(tc.name, func(t *testing.T) {
			h := kubernetes(t, tc.metric)
			got, ratio, _, err := h.perPod(tc.metric, tc.status())
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
			require.InDelta(t, tc.ratio, ratio, 1e-9)
		})
	}
}

func TestOtherMetricsAsKubernetes(t *testing.T) {
	for _, tc := range []struct {
		name           string
		replicas, want int
		metric         Metric
		value          float64
		unready        []int
	}{
		{"ScaleUpCMObject", 3, 4, Metric{Kind: Object, Value: 15}, 20, nil},
		{"ScaleUpCMPerPodObject", 3, 4, Metric{Kind: Object, AverageValue: 5}, 20, nil},
		{"ScaleUpCMObjectIgnoresUnreadyPods", 3, 5, Metric{Kind: Object, Value: 10}, 50, []int{0, 2}},
		{"ScaleUpCMExternalIgnoresUnreadyPods", 3, 2, Metric{Kind: External, Value: 4.4}, 8.6, []int{0, 2}},
		{"ScaleUpPerPodCMExternal", 3, 4, Metric{Kind: External, AverageValue: 2.15}, 8.6, nil},
		{"ScaleDownPerPodCMObject", 5, 3, Metric{Kind: Object, AverageValue: 2}, 6, nil},
		{"ScaleDownCMObject", 5, 3, Metric{Kind: Object, Value: 20}, 12, nil},
		{"ScaleDownCMExternal", 5, 3, Metric{Kind: External, Value: 14.334}, 8.6, nil},
		{"ScaleDownPerPodCMExternal", 5, 3, Metric{Kind: External, AverageValue: 2.867}, 8.6, nil},
		{"ToleranceCMObject", 3, 3, Metric{Kind: Object, Value: 20}, 20.666, nil},
		{"TolerancePerPodCMObject", 4, 4, Metric{Kind: Object, AverageValue: 5}, 20.166, nil},
		{"ToleranceCMExternal", 3, 3, Metric{Kind: External, Value: 8.888}, 8.6, nil},
		{"TolerancePerPodCMExternal", 3, 3, Metric{Kind: External, AverageValue: 2.9}, 8.6, nil},
		{"from zero", 0, 2, Metric{Kind: External, Value: 4.4}, 8.6, nil},
		{"to zero", 3, 0, Metric{Kind: External, Value: 4.4}, 0, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.metric.Name = "qps"
			s := podCase{replicas: tc.replicas, pods: tc.replicas, unready: tc.unready}.status()
			s.Values = map[string]float64{"qps": tc.value}
			h := kubernetes(t, tc.metric)
			got, _, _, err := h.outside(tc.metric, s)
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

// The regression test that Kubernetes calculates backwards from the tolerance.
func TestToleranceAsKubernetes(t *testing.T) {
	status := func(target int) (HPA, Metric, Status) {
		m := cpu(target)
		tc := podCase{replicas: 10, metric: m, requests: []int64{400, 200, 310, 290, 302, 298, 301, 299, 300, 300}}
		for range 10 {
			tc.levels = append(tc.levels, 150)
		}
		return kubernetes(t, m), m, tc.status()
	}
	edge := float64(1 / (2 * (1 - DefaultTolerance)))
	target := edge + 0.01
	h, m, s := status(int(target * 100))
	got, _, _, err := h.perPod(m, s)
	require.NoError(t, err)
	require.Equal(t, int(math.Ceil(1500/(3000*target)*10)), got)

	h, m, s = status(int((edge + 0.004) * 100))
	got, _, _, err = h.perPod(m, s)
	require.NoError(t, err)
	require.Equal(t, 10, got)
}

func TestMetricsThatCannotBeHad(t *testing.T) {
	h := kubernetes(t, cpu(50))
	_, _, _, err := h.perPod(cpu(50), Status{Now: start, Replicas: 1})
	require.ErrorIs(t, err, errNoPods)
	_, _, _, err = h.perPod(cpu(50), podCase{replicas: 4, pods: 4}.status())
	require.ErrorIs(t, err, errNone)
	bare := podCase{replicas: 1, metric: cpu(100), levels: []int64{200}}.status()
	for _, requests := range []map[string]float64{nil, {CPU: 0}} {
		bare.Pods[0].Requests = requests
		_, _, _, err = h.perPod(cpu(100), bare)
		require.EqualError(t, err, "scale: pod-0 has no request for cpu")
	}
	_, _, _, err = h.outside(Metric{Kind: External, Name: "queue", Value: 5}, Status{Replicas: 1})
	require.EqualError(t, err, "scale: no value of queue")
}

// Of several metrics the largest counts; one that cannot be had forbids to scale down, and nothing else.
func TestSeveralMetrics(t *testing.T) {
	queue := Metric{Kind: External, Name: "queue", AverageValue: 10}
	for _, tc := range []struct {
		name   string
		values map[string]float64
		level  int64
		want   int
		err    bool
	}{
		{"the larger", map[string]float64{"queue": 60}, 500, 6, false},
		{"the other", map[string]float64{"queue": 30}, 1000, 8, false},
		{"down with both", map[string]float64{"queue": 10}, 100, 1, false},
		{"up without one", nil, 1000, 8, true},
		{"not down without one", nil, 100, 4, true},
		{"as many without one", nil, 500, 4, true},
		{"none, with one of nothing", map[string]float64{"queue": 0}, 0, 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := kubernetes(t, cpu(50), queue)
			s := podCase{replicas: 4, metric: cpu(50), levels: []int64{tc.level, tc.level, tc.level, tc.level}}.status()
			s.Values = tc.values
			d, _ := h.desired(s)
			require.Equal(t, tc.want, d.Desired)
			require.Equal(t, tc.err, d.Err != nil)
		})
	}
	h := kubernetes(t, queue)
	d, ok := h.desired(Status{Replicas: 3})
	require.False(t, ok)
	require.Equal(t, 3, d.Replicas)
	require.EqualError(t, d.Err, "scale: no value of queue")
}
