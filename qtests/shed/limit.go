package shed

import (
	"fmt"
	"math"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/field"
)

// A Limit says how many requests are admitted at once. It belongs to one Gate, which calls it under its lock: it must not call
// the gate, nor wait. The
// zero values of [AIMD], [Gradient] and [Vegas] have the defaults of the package doc.
type Limit interface {
	// Limit is the present limit, at least 1.
	Limit() int
	// Sample is what became of one request: how long it took, how many were under way when it ended, itself included,
	// and whether it was dropped by what is behind, or timed out.
	Sample(s Sample)
	// Check says what is wrong with its fields, before it is used.
	Check() error
}

// A Sample is what became of one request.
type Sample struct {
	At       time.Time
	Latency  time.Duration
	InFlight int
	Dropped  bool
}

// Fixed is a limit that stays.
type Fixed int

// Limit implements [Limit].
func (n Fixed) Limit() int { return int(n) }

// Sample implements [Limit].
func (n Fixed) Sample(Sample) {}

// Check implements [Limit].
func (n Fixed) Check() error {
	if n < 1 {
		return fmt.Errorf("shed: Fixed: %d is below 1", int(n))
	}
	return nil
}

// bounds are what the limits that move have in common.
type bounds struct {
	at               float64
	least, most, now int
}

func (b *bounds) value(first, least, most int, defaults [3]int) *float64 {
	if b.at == 0 {
		b.least, b.most = or(least, defaults[1]), or(most, defaults[2])
		b.at = float64(or(first, defaults[0]))
		b.set(b.at)
	}
	return &b.at
}

func (b *bounds) set(v float64) {
	b.at = min(max(v, float64(b.least)), float64(b.most))
	b.now = max(1, int(b.at))
}

func or[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

func checkBounds(name string, first, least, most int, defaults [3]int) error {
	c := field.Check("shed: " + name)
	c.Count("Initial", first)
	c.Count("Min", least)
	c.Count("Max", most)
	least, most = or(least, defaults[1]), or(most, defaults[2])
	c.That(least <= most, "Min", least, "is over Max, %d", most)
	if err := c.Result(); err != nil {
		return err
	}
	first = or(first, min(max(defaults[0], least), most))
	c.That(first >= least && first <= most, "Initial", first, "is not from Min, %d, to Max, %d", least, most)
	return c.Result()
}

var aimdDefaults = [3]int{20, 20, 200}

// AIMD adds one, and takes a share away.
type AIMD struct {
	Initial, Min, Max int           // 20, 20, 200
	Timeout           time.Duration // a latency above it counts as a drop; 5 s
	Backoff           float64       // from 0.5 to below 1; 0.9

	bounds
}

// Check implements [Limit].
func (a *AIMD) Check() error {
	c := field.Check("shed: AIMD")
	c.Duration("Timeout", a.Timeout)
	c.That(a.Backoff == 0 || a.Backoff >= 0.5 && a.Backoff < 1, "Backoff", a.Backoff, "is not from 0.5 to below 1")
	if err := c.Result(); err != nil {
		return err
	}
	return checkBounds("AIMD", a.Initial, a.Min, a.Max, aimdDefaults)
}

// Limit implements [Limit].
func (a *AIMD) Limit() int {
	a.value(a.Initial, a.Min, a.Max, aimdDefaults)
	return a.now
}

// Sample implements [Limit].
func (a *AIMD) Sample(s Sample) {
	limit := a.Limit()
	switch {
	case s.Dropped || s.Latency > or(a.Timeout, 5*time.Second):
		a.set(math.Floor(float64(limit) * or(a.Backoff, 0.9)))
	case s.InFlight*2 >= limit:
		a.set(float64(limit + 1))
	}
}

var gradientDefaults = [3]int{20, 20, 200}

// Gradient compares the latency with what it was for long.
type Gradient struct {
	Initial, Min, Max int     // 20, 20, 200
	QueueSize         int     // how far it grows while the latency stays; 4
	Smoothing         float64 // above 0, up to 1; 0.2
	LongWindow        int     // samples; 600

	bounds
	long average
}

// Check implements [Limit].
func (g *Gradient) Check() error {
	c := field.Check("shed: Gradient")
	c.Count("QueueSize", g.QueueSize)
	c.Share("Smoothing", g.Smoothing)
	c.Count("LongWindow", g.LongWindow)
	if err := c.Result(); err != nil {
		return err
	}
	return checkBounds("Gradient", g.Initial, g.Min, g.Max, gradientDefaults)
}

// Limit implements [Limit].
func (g *Gradient) Limit() int {
	g.value(g.Initial, g.Min, g.Max, gradientDefaults)
	return g.now
}

// Sample implements [Limit].
func (g *Gradient) Sample(s Sample) {
	limit := *g.value(g.Initial, g.Min, g.Max, gradientDefaults)
	short := float64(max(1, s.Latency))
	long := g.long.add(short, or(g.LongWindow, 600), 10)
	if long/short > 2 {
		g.long.value *= 0.9
	}
	if float64(s.InFlight) < limit/2 {
		return
	}
	gradient := max(0.5, min(1, long/short))
	smooth := or(g.Smoothing, 0.2)
	g.set(limit*(1-smooth) + smooth*(limit*gradient+float64(or(g.QueueSize, 4))))
}

// average is exponential, behind a plain mean of the first samples.
type average struct {
	value, sum float64
	n          int
}

func (a *average) add(x float64, window, warmup int) float64 {
	if a.n < warmup {
		a.n++
		a.sum += x
		a.value = a.sum / float64(a.n)
		return a.value
	}
	factor := 2 / float64(window+1)
	a.value = a.value*(1-factor) + x*factor
	return a.value
}

var vegasDefaults = [3]int{20, 1, 1000}

// Vegas compares the latency with the lowest.
type Vegas struct {
	Initial, Max int     // 20, 1000
	Smoothing    float64 // above 0, up to 1; 1
	Probe        int     // the lowest latency is measured anew every Probe · limit samples, less up to a half; 30
	// Rand draws from [0,1) how much less. Nil: no less at all.
	Rand func() float64

	bounds
	least  time.Duration
	n      int
	jitter float64
}

// Check implements [Limit].
func (v *Vegas) Check() error {
	c := field.Check("shed: Vegas")
	c.Share("Smoothing", v.Smoothing)
	c.Count("Probe", v.Probe)
	if err := c.Result(); err != nil {
		return err
	}
	return checkBounds("Vegas", v.Initial, 0, v.Max, vegasDefaults)
}

// Limit implements [Limit].
func (v *Vegas) Limit() int {
	v.value(v.Initial, 0, v.Max, vegasDefaults)
	return v.now
}

func (v *Vegas) drawJitter() {
	v.jitter = 1
	if v.Rand != nil {
		v.jitter = 0.5 + v.Rand()/2
	}
}

// Sample implements [Limit].
func (v *Vegas) Sample(s Sample) {
	limit := *v.value(v.Initial, 0, v.Max, vegasDefaults)
	if v.jitter == 0 {
		v.drawJitter()
	}
	latency := max(1, s.Latency)
	v.n++
	if v.jitter*float64(or(v.Probe, 30))*limit <= float64(v.n) {
		v.drawJitter()
		v.n, v.least = 0, latency
		return
	}
	if v.least == 0 || latency < v.least {
		v.least = latency
		return
	}
	log := max(1, math.Floor(math.Log10(limit)))
	queue := math.Ceil(limit * (1 - float64(v.least)/float64(latency)))
	next := limit
	switch {
	case s.Dropped:
		next -= log
	case float64(s.InFlight*2) < limit:
		return
	case queue <= log:
		next += 6 * log
	case queue < 3*log:
		next += log
	case queue > 6*log:
		next -= log
	default:
		return
	}
	smooth := or(v.Smoothing, 1)
	v.set((1-smooth)*limit + smooth*min(max(next, 1), float64(v.most)))
}

// Windowed gives limit one sample for each window: the mean latency of its requests, the most that were under way, and whether any was dropped.
func Windowed(limit Limit) Limit { return &windowed{of: limit} }

type windowed struct {
	of      Limit
	until   time.Time
	sum     time.Duration
	n, most int
	dropped bool
}

// The window of WindowedLimit, and the latency below which it takes no sample.
const (
	windowLength  = time.Second
	windowSamples = 10
	windowIgnored = 100 * time.Microsecond
)

// Limit implements [Limit].
func (w *windowed) Limit() int { return w.of.Limit() }

// Check implements [Limit].
func (w *windowed) Check() error { return w.of.Check() }

// Sample implements [Limit].
func (w *windowed) Sample(s Sample) {
	if s.Latency < windowIgnored {
		return
	}
	if s.Dropped {
		w.dropped = true
	} else {
		w.sum += s.Latency
		w.n++
	}
	w.most = max(w.most, s.InFlight)
	if w.until.IsZero() {
		w.until = s.At.Add(windowLength)
	}
	if s.At.Before(w.until) || w.n < windowSamples {
		return
	}
	w.of.Sample(Sample{At: s.At, Latency: w.sum / time.Duration(w.n), InFlight: w.most, Dropped: w.dropped})
	*w = windowed{of: w.of, until: s.At.Add(windowLength)}
}
