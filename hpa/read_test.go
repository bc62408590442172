package hpa_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/hpa"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/fleet"
	"github.com/go-qtests/qtests/qtests/fleet/scale"
)

func TestReadFile(t *testing.T) {
	h, err := hpa.ReadFile("testdata/shop.yaml")
	require.NoError(t, err)
	require.Equal(t, scale.HPA{
		Min: 3, Max: 20,
		Metrics: []scale.Metric{
			{Kind: scale.Resource, Name: "cpu", Utilization: 60},
			{Kind: scale.Pods, Name: "requests_per_second", AverageValue: 1.5},
			{Kind: scale.External, Name: `queue_length{env="prod",queue="mail"}`, AverageValue: 30},
			{Kind: scale.Object, Name: "ingress_requests", Value: 2000},
		},
		Down: scale.Rules{Window: 2 * time.Minute, Tolerance: 0.05, Select: scale.SelectLeast, Policies: []scale.Policy{
			{Percent: 10, Period: time.Minute}, {Pods: 2, Period: 30 * time.Second},
		}},
	}, h)
}

const head = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nspec:\n  maxReplicas: 5\n"

func TestDefaultsAreKubernetes(t *testing.T) {
	h, err := hpa.Read(strings.NewReader(head))
	require.NoError(t, err)
	a, err := scale.New(h)
	require.NoError(t, err)
	require.Equal(t, []scale.Metric{{Name: "cpu", Utilization: 80}}, a.HPA().Metrics)
	require.Equal(t, 1, a.HPA().Min)
	require.Equal(t, 5*time.Minute, a.HPA().Down.Window)

	h, err = hpa.Read(strings.NewReader(head + "  behavior: {scaleDown: {stabilizationWindowSeconds: 0, tolerance: 0}}\n"))
	require.NoError(t, err)
	require.True(t, h.Down.NoWindow && h.Down.NoTolerance)

	h, err = hpa.Read(strings.NewReader(head + "  minReplicas: 0\n  metrics: [{type: External, external: {metric: {name: q}, target: {type: Value, value: 5}}}]\n"))
	require.NoError(t, err)
	require.True(t, h.ToZero)
}

func TestWhatIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "hpa: there is no HorizontalPodAutoscaler",
		head + "---\n" + head:                "hpa: there is more than one HorizontalPodAutoscaler",
		"kind: [":                            "hpa: error converting YAML",
		head + "  maxReplica: 3":             `unknown field "maxReplica"`,
		strings.Replace(head, "v2", "v1", 1): `hpa: apiVersion: "autoscaling/v1" is not autoscaling/v2`,
		head + "  minReplicas: 9\n":          "scale: HPA.Max: 5 is below Min, 9",
		head + "  metrics: [{type: ContainerResource}]\n": `hpa: spec.metrics[0]: type: "ContainerResource" has no source of that type`,
		head + "  metrics: [{type: ContainerResource, containerResource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]\n": `hpa: scale: HPA.Metrics[0].Container: ""`,
		head + "  metrics: [{type: Pods}]\n": `hpa: spec.metrics[0]: type: "Pods" has no source of that type`,
		head + "  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilisation}}}]\n":                                                                         `target.type: "Utilisation" is not`,
		head + "  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization}}}]\n":                                                                         "target: has no value above 0 of the type Utilization",
		head + "  behavior: {scaleUp: {selectPolicy: Most}}\n":                                                                                                               `hpa: spec.behavior.scaleUp: selectPolicy: "Most" is not Max, Min or Disabled`,
		head + "  behavior: {scaleUp: {policies: [{type: Share, value: 1, periodSeconds: 1}]}}\n":                                                                            `policies[0].type: "Share" is not Pods or Percent`,
		head + "  metrics: [{type: External, external: {metric: {name: q, selector: {matchExpressions: [{key: a, operator: Exists}]}}, target: {type: Value, value: 5}}}]\n": "matchExpressions: is not supported",
		strings.Repeat("x", hpa.MaxBytes+1): "hpa: longer than",
	} {
		_, err := hpa.Read(strings.NewReader(text))
		require.ErrorContains(t, err, want)
	}
	_, err := hpa.ReadFile("testdata/none.yaml")
	require.Error(t, err)
}

// The file that is deployed, over a fleet: a queue of 300 makes ten replicas of three.
func TestOverAFleet(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		h, err := hpa.ReadFile("testdata/shop.yaml")
		require.NoError(q, err)
		h.Metrics = h.Metrics[2:3]
		scaler, err := scale.New(h)
		require.NoError(q, err)
		f := fleet.NewT(q, fleet.Config{
			New: func(*fleet.Instance) http.Handler { return http.NotFoundHandler() }, Replicas: 3,
			Scaling: fleet.Scaling{By: scaler, Values: map[string]func() (float64, error){h.Metrics[0].Name: func() (float64, error) { return 300, nil }}},
		})
		q.Sleep(time.Minute)
		wanted, _ := f.Replicas()
		require.Equal(q, 10, wanted)
	})
}

func FuzzRead(f *testing.F) {
	f.Add(head)
	f.Add(head + "  behavior: {scaleUp: {selectPolicy: Max}}\n")
	f.Add("---\n---\n")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := hpa.Read(strings.NewReader(text))
		if err != nil {
			return
		}
		if _, err := scale.New(h); err != nil {
			t.Fatalf("it was read, and cannot be used: %v", err)
		}
	})
}
