package scale

import (
	"cmp"
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/field"
)

// Defaults of an [HPA], those of Kubernetes.
const (
	DefaultPeriod         = 15 * time.Second
	DefaultTolerance      = 0.1
	DefaultDownWindow     = 5 * time.Minute
	DefaultCPUUtilization = 80
	DefaultCPUInitPeriod  = 5 * time.Minute
	DefaultReadinessDelay = 30 * time.Second
)

// CPU is the name of the resource whose samples of young pods are not trusted.
const CPU = "cpu"

// An HPA describes a HorizontalPodAutoscaler (autoscaling/v2).
type HPA struct {
	// Min and Max bound the replicas. Min is 1 by default; ToZero makes it 0, which needs a metric of the kind
	// Object or External. Max is at least 1.
	Min, Max int
	ToZero   bool
	// Metrics are what it scales by. None is cpu at a utilization of 80%.
	Metrics []Metric
	// Up and Down are how fast.
	Up, Down Rules
	// Period, CPUInit and ReadinessDelay are flags of the controller: 15 s, 5 min, 30 s.
	Period, CPUInit, ReadinessDelay time.Duration
}

// A Kind of metric.
type Kind int

// The kinds of metrics.
const (
	Resource Kind = iota // cpu, memory: of each pod, with a request
	Pods                 // of each pod
	Object               // of another object
	External             // from elsewhere

	ContainerResource // cpu, memory: of one container of each pod, with its request
)

func (k Kind) String() string {
	return [...]string{"Resource", "Pods", "Object", "External", "ContainerResource"}[k]
}

// outside reports whether a metric of the kind belongs to no pod.
func (k Kind) outside() bool { return k == Object || k == External }

// ofResource reports whether it has a request, and so a utilization.
func (k Kind) ofResource() bool { return k == Resource || k == ContainerResource }

// A Metric has one of three targets: Utilization for Resource and ContainerResource, AverageValue for all, Value for
// Object and External.
type Metric struct {
	Kind Kind
	Name string
	// Container is the name of the container, for ContainerResource alone.
	Container    string
	Utilization  int     // per cent of the request
	AverageValue float64 // for each pod
	Value        float64 // in all
}

// Of is the name under which the use and the request of a container are in [Pod.Samples] and [Pod.Requests]: "app/cpu".
func Of(container, resource string) string { return container + "/" + resource }

// key is the name under which a pod has the metric.
func (m Metric) key() string {
	if m.Kind == ContainerResource {
		return Of(m.Container, m.Name)
	}
	return m.Name
}

// Rules are how fast the number of replicas changes in one direction.
type Rules struct {
	// Window is how long the past counts: 0 to 1 h. The default is 0 up, and 5 min down; NoWindow makes
	// it 0 down.
	Window   time.Duration
	NoWindow bool
	// Policies bound the change. The default is 4 pods or 100% per 15 s up, and 100% per 15 s down.
	Policies []Policy
	Select   Select
	// Tolerance of this direction: the default is 0.1; NoTolerance makes it 0.
	Tolerance   float64
	NoTolerance bool
}

// A Policy bounds the change within Period (up to 30 min): to Pods, or to Percent. One of both is above 0.
type Policy struct {
	Pods, Percent int
	Period        time.Duration
}

// Select is which of several policies counts.
type Select int

// The choices of a policy.
const (
	SelectMost  Select = iota // the one that allows most (Max)
	SelectLeast               // the one that allows least (Min)
	SelectNone                // no change in this direction (Disabled)
)

// withDefaults fills in what is zero, or says what is wrong.
func (h HPA) withDefaults() (HPA, error) {
	if err := h.check(); err != nil {
		return h, err
	}
	if !h.ToZero {
		h.Min = cmp.Or(h.Min, 1)
	}
	if len(h.Metrics) == 0 {
		h.Metrics = []Metric{{Kind: Resource, Name: CPU, Utilization: DefaultCPUUtilization}}
	}
	h.Period = cmp.Or(h.Period, DefaultPeriod)
	h.CPUInit = cmp.Or(h.CPUInit, DefaultCPUInitPeriod)
	h.ReadinessDelay = cmp.Or(h.ReadinessDelay, DefaultReadinessDelay)
	if !h.Down.NoWindow {
		h.Down.Window = cmp.Or(h.Down.Window, DefaultDownWindow)
	}
	for _, r := range []*Rules{&h.Up, &h.Down} {
		if !r.NoTolerance {
			r.Tolerance = cmp.Or(r.Tolerance, DefaultTolerance)
		}
	}
	all := Policy{Percent: 100, Period: 15 * time.Second}
	if h.Up.Policies == nil {
		h.Up.Policies = []Policy{{Pods: 4, Period: 15 * time.Second}, all}
	}
	if h.Down.Policies == nil {
		h.Down.Policies = []Policy{all}
	}
	return h, nil
}

func (h HPA) check() error {
	c := field.Check("scale: HPA")
	c.Count("Min", h.Min)
	c.That(h.Max >= 1, "Max", h.Max, "is below 1")
	c.That(h.Max >= h.Min, "Max", h.Max, "is below Min, %d", h.Min)
	c.That(h.Min == 0 || !h.ToZero, "Min", h.Min, "contradicts ToZero")
	c.Duration("Period", h.Period)
	c.Duration("CPUInit", h.CPUInit)
	c.Duration("ReadinessDelay", h.ReadinessDelay)
	outside := false
	for i, m := range h.Metrics {
		m.check(c, fmt.Sprintf("Metrics[%d]", i))
		outside = outside || m.Kind.outside()
	}
	c.That(!h.ToZero || outside, "ToZero", h.ToZero, "needs a metric of the kind Object or External: 0 pods have no other")
	h.Up.check(c, "Up")
	h.Down.check(c, "Down")
	return c.Result()
}

func (m Metric) check(c *field.Checker, name string) {
	c.That(m.Kind >= Resource && m.Kind <= ContainerResource, name+".Kind", int(m.Kind), "is no kind of metric")
	c.That(m.Name != "", name+".Name", `""`, "is no name")
	c.That((m.Container != "") == (m.Kind == ContainerResource), name+".Container", fmt.Sprintf("%q", m.Container), "has to be set for ContainerResource, and for no other kind")
	c.Count(name+".Utilization", m.Utilization)
	c.Finite(name+".AverageValue", m.AverageValue)
	c.Finite(name+".Value", m.Value)
	targets := 0
	for _, set := range []bool{m.Utilization > 0, m.AverageValue > 0, m.Value > 0} {
		if set {
			targets++
		}
	}
	c.That(targets == 1, name, m.Name, "has %d targets instead of one", targets)
	c.That(m.Utilization == 0 || m.Kind.ofResource(), name+".Utilization", m.Utilization, "is for Resource and ContainerResource alone")
	c.That(m.Value == 0 || m.Kind.outside(), name+".Value", m.Value, "is for Object and External alone")
}

func (r Rules) check(c *field.Checker, name string) {
	c.Duration(name+".Window", r.Window)
	c.That(r.Window <= time.Hour, name+".Window", r.Window, "is over 1h")
	c.That(r.Window == 0 || !r.NoWindow, name+".Window", r.Window, "contradicts NoWindow")
	c.Finite(name+".Tolerance", r.Tolerance)
	c.That(r.Tolerance == 0 || !r.NoTolerance, name+".Tolerance", r.Tolerance, "contradicts NoTolerance")
	c.That(r.Select >= SelectMost && r.Select <= SelectNone, name+".Select", int(r.Select), "is no choice")
	c.That(r.Policies == nil || len(r.Policies) > 0, name+".Policies", "[]", "is empty: leave it nil, or use SelectNone")
	for i, p := range r.Policies {
		at := fmt.Sprintf("%s.Policies[%d]", name, i)
		c.Count(at+".Pods", p.Pods)
		c.Count(at+".Percent", p.Percent)
		c.That((p.Pods > 0) != (p.Percent > 0), at, fmt.Sprintf("%+v", p), "has to have one of Pods and Percent")
		c.That(p.Period > 0 && p.Period <= 30*time.Minute, at+".Period", p.Period, "is not above 0 and up to 30m")
	}
}
