package scale

import (
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/field"
)

// Defaults of [KEDA].
const (
	DefaultPolling  = 30 * time.Second
	DefaultCooldown = 5 * time.Minute
	DefaultKEDAMax  = 100
)

// KEDA describes a ScaledObject of KEDA.
type KEDA struct {
	// Min and Max bound the replicas while a trigger is active. Min is 0 by default: to zero. Max is 100.
	Min, Max int
	// Idle is how many replicas there are while no trigger is active, where Min is above 0. It is below Min.
	// HasIdle says that there is one: without it there is no scaling below Min.
	Idle    int
	HasIdle bool
	// Polling is how often triggers are read: 30 s. Cooldown is how long none has to be active before it
	// scales to Idle or zero: 5 min. NoCooldown makes it none.
	Polling, Cooldown time.Duration
	NoCooldown        bool
	Triggers          []Trigger
	Fallback          Fallback
	Up, Down          Rules // of the HorizontalPodAutoscaler
}

// A Trigger is a value of Status.Values.
type Trigger struct {
	Name string
	// Threshold is what one replica takes (AverageValue). Above 0.
	Threshold float64
	// Activation is what the value has to be above for the trigger to be active. Default 0.
	Activation float64
}

// A Fallback is what happens when a trigger fails more than Failures times in a row. The zero Fallback is none.
type Fallback struct {
	Failures, Replicas int
}

type keda struct {
	cfg    KEDA
	hpa    *Autoscaler
	polled time.Time
	awake  bool      // a trigger is active
	active time.Time // when one was last; zero: never
	failed map[string]int
	values map[string]float64
}

// NewKEDA returns a Scaler that does as KEDA does, or an error that names what is wrong.
func NewKEDA(k KEDA) (Scaler, error) {
	if err := k.check(); err != nil {
		return nil, err
	}
	k.Max = or(k.Max, DefaultKEDAMax)
	k.Polling = or(k.Polling, DefaultPolling)
	if !k.NoCooldown {
		k.Cooldown = or(k.Cooldown, DefaultCooldown)
	}
	h := HPA{Min: max(1, k.Min), Max: k.Max, Up: k.Up, Down: k.Down}
	for _, t := range k.Triggers {
		h.Metrics = append(h.Metrics, Metric{Kind: External, Name: t.Name, AverageValue: t.Threshold})
	}
	a, err := New(h)
	if err != nil {
		return nil, err
	}
	return &keda{cfg: k, hpa: a, failed: map[string]int{}}, nil
}

func (k KEDA) check() error {
	c := field.Check("scale: KEDA")
	c.Count("Min", k.Min)
	c.Count("Max", k.Max)
	c.That(k.Min <= or(k.Max, DefaultKEDAMax), "Min", k.Min, "is over Max, %d", or(k.Max, DefaultKEDAMax))
	c.Count("Idle", k.Idle)
	c.That(k.Idle == 0 || k.HasIdle, "Idle", k.Idle, "is set, but HasIdle is not")
	c.That(!k.HasIdle || k.Idle < k.Min, "Idle", k.Idle, "is not below Min, %d", k.Min)
	c.Duration("Polling", k.Polling)
	c.Duration("Cooldown", k.Cooldown)
	c.That(k.Cooldown == 0 || !k.NoCooldown, "Cooldown", k.Cooldown, "contradicts NoCooldown")
	c.That(len(k.Triggers) > 0, "Triggers", "[]", "is empty")
	for i, t := range k.Triggers {
		c.That(t.Name != "", fmt.Sprintf("Triggers[%d].Name", i), `""`, "is no name")
		c.That(t.Threshold > 0, fmt.Sprintf("Triggers[%d].Threshold", i), t.Threshold, "is not above 0")
	}
	c.Count("Fallback.Failures", k.Fallback.Failures)
	c.Count("Fallback.Replicas", k.Fallback.Replicas)
	return c.Result()
}

// Every is the period of the HorizontalPodAutoscaler; triggers are read less often.
func (k *keda) Every() time.Duration { return min(k.hpa.Every(), k.cfg.Polling) }

// Decide implements [Scaler].
func (k *keda) Decide(s Status) Decision {
	if k.polled.IsZero() || !s.Now.Before(k.polled.Add(k.cfg.Polling)) {
		k.poll(s)
	}
	resting := k.cfg.Min
	if k.cfg.HasIdle {
		resting = k.cfg.Idle
	}
	awake := max(1, k.cfg.Min)
	switch {
	case k.awake && s.Replicas < awake:
		return Decision{Replicas: awake, Desired: awake, Reason: "activated"}
	case !k.awake && resting < awake && s.Replicas > resting && s.Now.Sub(k.active) > k.cfg.Cooldown:
		return Decision{Replicas: resting, Desired: resting, Reason: "nothing was active for " + k.cfg.Cooldown.String()}
	case s.Replicas <= resting && resting < awake:
		return Decision{Replicas: resting, Desired: resting, Reason: "nothing is active"}
	}
	s.Values = k.values
	return k.hpa.Decide(s)
}

// poll reads the triggers.
func (k *keda) poll(s Status) {
	k.polled = s.Now
	k.values, k.awake = map[string]float64{}, false
	for _, t := range k.cfg.Triggers {
		v, ok := s.Values[t.Name]
		if !ok {
			k.failed[t.Name]++
			if k.cfg.Fallback.Replicas > 0 && k.failed[t.Name] > k.cfg.Fallback.Failures {
				k.values[t.Name] = t.Threshold * float64(k.cfg.Fallback.Replicas)
				k.awake = true
			}
			continue
		}
		k.failed[t.Name] = 0
		k.values[t.Name] = v
		if v > t.Activation {
			k.awake = true
		}
	}
	if k.awake {
		k.active = s.Now
	}
}
