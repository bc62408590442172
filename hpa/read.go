package hpa

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	autoscaling "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/go-qtests/qtests/qtests/fleet/scale"
)

// MaxBytes is how long a file may be.
const MaxBytes = 1 << 20

// ReadFile reads the HorizontalPodAutoscaler of a file.
func ReadFile(name string) (scale.HPA, error) {
	file, err := os.Open(name)
	if err != nil {
		return scale.HPA{}, fmt.Errorf("hpa: %w", err)
	}
	defer func() { _ = file.Close() }()
	h, err := Read(file)
	if err != nil {
		return h, fmt.Errorf("%s: %w", name, err)
	}
	return h, nil
}

// Read reads a HorizontalPodAutoscaler, as YAML or JSON.
func Read(r io.Reader) (scale.HPA, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	switch {
	case err != nil:
		return scale.HPA{}, fmt.Errorf("hpa: %w", err)
	case len(text) > MaxBytes:
		return scale.HPA{}, fmt.Errorf("hpa: longer than %d bytes", MaxBytes)
	}
	document, err := find(text)
	if err != nil {
		return scale.HPA{}, err
	}
	var h autoscaling.HorizontalPodAutoscaler
	if err := yaml.UnmarshalStrict(document, &h); err != nil {
		return scale.HPA{}, fmt.Errorf("hpa: %w", err)
	}
	out, err := convert(h.Spec)
	if err != nil {
		return scale.HPA{}, fmt.Errorf("hpa: %w", err)
	}
	if _, err := scale.New(out); err != nil {
		return scale.HPA{}, fmt.Errorf("hpa: %w", err)
	}
	return out, nil
}

// find returns the document that is a HorizontalPodAutoscaler.
func find(text []byte) (found []byte, err error) {
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	for _, document := range bytes.Split(append([]byte("\n"), text...), []byte("\n---")) {
		var kind meta.TypeMeta
		if err := yaml.Unmarshal(document, &kind); err != nil {
			return nil, fmt.Errorf("hpa: %w", err)
		}
		switch {
		case kind.Kind != "HorizontalPodAutoscaler":
		case kind.APIVersion != "autoscaling/v2":
			return nil, fmt.Errorf("hpa: apiVersion: %q is not autoscaling/v2", kind.APIVersion)
		case found != nil:
			return nil, errors.New("hpa: there is more than one HorizontalPodAutoscaler")
		default:
			found = document
		}
	}
	if found == nil {
		return nil, errors.New("hpa: there is no HorizontalPodAutoscaler")
	}
	return found, nil
}

func convert(s autoscaling.HorizontalPodAutoscalerSpec) (h scale.HPA, err error) {
	h.Max = int(s.MaxReplicas)
	if s.MinReplicas != nil {
		h.Min, h.ToZero = int(*s.MinReplicas), *s.MinReplicas == 0
	}
	for i, m := range s.Metrics {
		metric, err := convertMetric(m)
		if err != nil {
			return h, fmt.Errorf("spec.metrics[%d]: %w", i, err)
		}
		h.Metrics = append(h.Metrics, metric)
	}
	if s.Behavior == nil {
		return h, nil
	}
	if h.Up, err = convertRules(s.Behavior.ScaleUp, false); err != nil {
		return h, fmt.Errorf("spec.behavior.scaleUp: %w", err)
	}
	if h.Down, err = convertRules(s.Behavior.ScaleDown, true); err != nil {
		return h, fmt.Errorf("spec.behavior.scaleDown: %w", err)
	}
	return h, nil
}

func convertMetric(m autoscaling.MetricSpec) (scale.Metric, error) {
	switch {
	case m.Type == autoscaling.ResourceMetricSourceType && m.Resource != nil:
		return convertTarget(scale.Metric{Kind: scale.Resource, Name: string(m.Resource.Name)}, m.Resource.Target)
	case m.Type == autoscaling.PodsMetricSourceType && m.Pods != nil:
		return named(scale.Pods, m.Pods.Metric, m.Pods.Target)
	case m.Type == autoscaling.ObjectMetricSourceType && m.Object != nil:
		return named(scale.Object, m.Object.Metric, m.Object.Target)
	case m.Type == autoscaling.ExternalMetricSourceType && m.External != nil:
		return named(scale.External, m.External.Metric, m.External.Target)
	case m.Type == autoscaling.ContainerResourceMetricSourceType && m.ContainerResource != nil:
		c := m.ContainerResource
		return convertTarget(scale.Metric{Kind: scale.ContainerResource, Name: string(c.Name), Container: c.Container}, c.Target)
	}
	return scale.Metric{}, fmt.Errorf("type: %q has no source of that type", m.Type)
}

func named(kind scale.Kind, m autoscaling.MetricIdentifier, t autoscaling.MetricTarget) (scale.Metric, error) {
	name := m.Name
	if m.Selector != nil {
		if len(m.Selector.MatchExpressions) > 0 {
			return scale.Metric{}, errors.New("metric.selector.matchExpressions: is not supported")
		}
		var labels []string
		for _, k := range slices.Sorted(maps.Keys(m.Selector.MatchLabels)) {
			labels = append(labels, fmt.Sprintf("%s=%q", k, m.Selector.MatchLabels[k]))
		}
		name += "{" + strings.Join(labels, ",") + "}"
	}
	return convertTarget(scale.Metric{Kind: kind, Name: name}, t)
}

func convertTarget(m scale.Metric, t autoscaling.MetricTarget) (scale.Metric, error) {
	value := func(q *resource.Quantity) float64 {
		if q == nil {
			return 0
		}
		return q.AsApproximateFloat64()
	}
	switch t.Type {
	case autoscaling.UtilizationMetricType:
		if t.AverageUtilization != nil {
			m.Utilization = int(*t.AverageUtilization)
		}
	case autoscaling.AverageValueMetricType:
		m.AverageValue = value(t.AverageValue)
	case autoscaling.ValueMetricType:
		m.Value = value(t.Value)
	default:
		return m, fmt.Errorf("target.type: %q is not Utilization, AverageValue or Value", t.Type)
	}
	if m.Utilization == 0 && m.AverageValue == 0 && m.Value == 0 {
		return m, fmt.Errorf("target: has no value above 0 of the type %s", t.Type)
	}
	return m, nil
}

func convertRules(s *autoscaling.HPAScalingRules, down bool) (r scale.Rules, err error) {
	if s == nil {
		return r, nil
	}
	if w := s.StabilizationWindowSeconds; w != nil {
		r.Window, r.NoWindow = time.Duration(*w)*time.Second, *w == 0 && down
	}
	if t := s.Tolerance; t != nil {
		r.Tolerance = t.AsApproximateFloat64()
		r.NoTolerance = r.Tolerance == 0
	}
	if s.SelectPolicy != nil {
		choices := map[autoscaling.ScalingPolicySelect]scale.Select{
			autoscaling.MaxChangePolicySelect: scale.SelectMost, autoscaling.MinChangePolicySelect: scale.SelectLeast, autoscaling.DisabledPolicySelect: scale.SelectNone,
		}
		choice, known := choices[*s.SelectPolicy]
		if !known {
			return r, fmt.Errorf("selectPolicy: %q is not Max, Min or Disabled", *s.SelectPolicy)
		}
		r.Select = choice
	}
	for i, p := range s.Policies {
		policy := scale.Policy{Period: time.Duration(p.PeriodSeconds) * time.Second}
		switch p.Type {
		case autoscaling.PodsScalingPolicy:
			policy.Pods = int(p.Value)
		case autoscaling.PercentScalingPolicy:
			policy.Percent = int(p.Value)
		default:
			return r, fmt.Errorf("policies[%d].type: %q is not Pods or Percent", i, p.Type)
		}
		r.Policies = append(r.Policies, policy)
	}
	return r, nil
}
