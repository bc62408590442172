package scale

import (
	"fmt"
	"time"
)

// A Scaler decides. It keeps state, and is not safe for concurrent use.
type Scaler interface {
	// Decide is called every Every, with a Status whose Now does not fall.
	Decide(s Status) Decision
	// Every is the time between two decisions, above 0.
	Every() time.Duration
}

// A Status is what a scaler knows.
type Status struct {
	Now      time.Time
	Replicas int // that are wanted at present
	Pods     []Pod
	// Values are those of metrics that belong to no pod (Object, External, triggers), by name. What is
	// not in it is missing.
	Values map[string]float64
}

// A Pod is one that exists.
type Pod struct {
	Name    string
	Phase   Phase
	Deleted bool      // it is being deleted
	Started time.Time // zero: not yet
	Ready   bool
	Since   time.Time // when Ready changed last; zero: never
	// Requests are those of resources, by name, and of the resources of containers, by the name that Of makes. Kubernetes refuses to compute a utilization without.
	Requests map[string]float64
	// Samples are those of metrics, by name, of containers as in Requests. What is not in it is missing.
	Samples map[string]Sample
}

// A Phase is how far a pod is.
type Phase int

// The phases.
const (
	Running Phase = iota
	Pending
	Failed
)

// A Sample is a value of a metric of one pod.
type Sample struct {
	Value  float64
	At     time.Time
	Window time.Duration // over which it was taken; it matters for cpu
}

// A Decision is how many replicas there are to be.
type Decision struct {
	Replicas int
	// Desired is what the metrics ask for, before limits, windows and policies.
	Desired int
	// Reason says what decided: "cpu 80% of 50%", "above Max", "stabilized".
	Reason string
	// Ratio is the largest of usage over target; above 1+tolerance the system is over its target. 0: not known.
	Ratio float64
	// Err is why a metric could not be used. Replicas is then what the others allow.
	Err error
}

// A Func decides by a function.
func Func(every time.Duration, decide func(Status) Decision) (Scaler, error) {
	if every <= 0 || decide == nil {
		return nil, fmt.Errorf("scale: Func: %v is no period above 0, or the function is nil", every)
	}
	return funcScaler{every, decide}, nil
}

type funcScaler struct {
	every  time.Duration
	decide func(Status) Decision
}

func (f funcScaler) Decide(s Status) Decision { return f.decide(s) }
func (f funcScaler) Every() time.Duration     { return f.every }

// existing returns how many pods are not being deleted.
func (s Status) existing() (n int) {
	for _, p := range s.Pods {
		if !p.Deleted && p.Phase != Failed {
			n++
		}
	}
	return n
}

// ready returns how many pods run and are ready, or an error if there is none at all.
func (s Status) ready() (n int, err error) {
	if len(s.Pods) == 0 {
		return 0, errNoPods
	}
	for _, p := range s.Pods {
		if p.Phase == Running && p.Ready {
			n++
		}
	}
	return n, nil
}
