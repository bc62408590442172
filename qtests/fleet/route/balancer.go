package route

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// ErrNoTarget says that no target can take a request.
var ErrNoTarget = errors.New("route: no target")

// DefaultPanicShare is the share of candidates below which health is ignored.
const DefaultPanicShare = 0.5

// MaxEjections is how many ejections and returns a balancer remembers.
const MaxEjections = 1000

// A Config describes a Balancer.
type Config struct {
	// Policy chooses. Default: RoundRobin.
	Policy Policy
	// Outliers ejects targets that fail. Nil ejects none.
	Outliers *Outliers
	// PanicShare of the targets must be candidates, or health and ejections are ignored. 0 to 1;
	// 0 is DefaultPanicShare.
	PanicShare float64
	// NoPanic never ignores them.
	NoPanic bool
	// Rand draws. Nil draws as seed 1 does.
	Rand *rand.Rand
}

// A Balancer knows the targets and chooses among them. It is not safe for concurrent use.
type Balancer struct {
	cfg      Config
	rand     *rand.Rand
	picker   Picker
	outliers *Outliers
	targets  []*Target // in the order of order
	added    uint64

	all, candidates []*Target // of the last pick, kept for their memory

	ejections []Ejection
	dropped   uint64
	panics    uint64
}

// New returns a balancer without targets, or an error that names what is wrong with cfg.
func New(cfg Config) (*Balancer, error) {
	b := &Balancer{cfg: cfg, rand: cfg.Rand}
	if !(cfg.PanicShare >= 0 && cfg.PanicShare <= 1) {
		return nil, fmt.Errorf("route: Config.PanicShare: %v is not between 0 and 1", cfg.PanicShare)
	}
	if cfg.NoPanic && cfg.PanicShare != 0 {
		return nil, fmt.Errorf("route: Config.PanicShare: %v contradicts NoPanic", cfg.PanicShare)
	}
	b.cfg.PanicShare = cmp.Or(cfg.PanicShare, DefaultPanicShare)
	if cfg.Outliers != nil {
		o, err := cfg.Outliers.withDefaults()
		if err != nil {
			return nil, err
		}
		b.outliers = &o
	}
	if b.rand == nil {
		b.rand = rand.New(rand.NewPCG(1, 1))
	}
	if b.cfg.Policy == nil {
		b.cfg.Policy = RoundRobin
	}
	b.picker = b.cfg.Policy(b.rand)
	return b, nil
}

// Interval returns how often Sweep is due, or 0 for never.
func (b *Balancer) Interval() time.Duration {
	if b.outliers == nil {
		return 0
	}
	return b.outliers.Interval
}

// Add adds a target, and returns it. It fails for an id that is there already, and for a weight
// that is not above 0.
func (b *Balancer) Add(id, zone string, weight float64) (*Target, error) {
	if err := checkTarget(id, weight); err != nil {
		return nil, err
	}
	if b.Target(id) != nil {
		return nil, fmt.Errorf("route: Target.ID: %s is there already", id)
	}
	b.added++
	t := &Target{ID: id, Zone: zone, Weight: weight, order: b.added, hash: KeyOf(id)}
	b.targets = append(b.targets, t)
	return t, nil
}

// Remove takes a target out. Its active requests go on, and Done may be called for them.
func (b *Balancer) Remove(id string) {
	b.targets = slices.DeleteFunc(b.targets, func(t *Target) bool { return t.ID == id })
}

// Target returns the target called id, or nil.
func (b *Balancer) Target(id string) *Target {
	for _, t := range b.targets {
		if t.ID == id {
			return t
		}
	}
	return nil
}

// Targets returns the targets, in the order in which they were added.
func (b *Balancer) Targets() []*Target { return slices.Clone(b.targets) }

// SetFailing says how the active health check of a target stands.
func (b *Balancer) SetFailing(id string, failing bool) {
	if t := b.Target(id); t != nil {
		t.failing = failing
	}
}

// Pick chooses a target and counts the request as active there, until Done. It fails with
// [ErrNoTarget] when there is none.
func (b *Balancer) Pick(now time.Time, rq Request) (*Target, error) {
	b.all = b.all[:0]
	for _, t := range b.targets {
		if rq.Within == nil || rq.Within(t) {
			b.all = append(b.all, t)
		}
	}
	if len(b.all) == 0 {
		return nil, ErrNoTarget
	}
	candidates := b.healthy()
	if len(candidates) == 0 {
		return nil, ErrNoTarget
	}
	if rq.Exclude != nil {
		if rest := b.without(candidates, rq.Exclude); len(rest) > 0 {
			candidates = rest
		}
	}
	t := candidates[b.picker.Pick(now, rq, candidates, b.all)]
	t.Active++
	return t, nil
}

// healthy returns the candidates, or in a panic all targets.
func (b *Balancer) healthy() []*Target {
	b.candidates = b.candidates[:0]
	for _, t := range b.all {
		if !t.failing && !t.outlier.ejected {
			b.candidates = append(b.candidates, t)
		}
	}
	if float64(len(b.candidates)) < b.cfg.PanicShare*float64(len(b.all)) && !b.cfg.NoPanic {
		b.panics++
		return b.all
	}
	return b.candidates
}

func (b *Balancer) without(candidates []*Target, exclude func(*Target) bool) (rest []*Target) {
	for _, t := range candidates {
		if !exclude(t) {
			rest = append(rest, t)
		}
	}
	return rest
}

// Done ends a request that Pick began. status is the one of the HTTP answer, or 0 where there was
// none. A negative status counts as no result, for requests that the caller gave up.
func (b *Balancer) Done(now time.Time, t *Target, latency time.Duration, status int) {
	t.Active--
	if status < 0 {
		return
	}
	if o, ok := b.picker.(observer); ok {
		o.observe(now, t, latency)
	}
	if b.outliers == nil {
		return
	}
	for _, v := range t.outlier.result(*b.outliers, status) {
		if b.Target(t.ID) == t {
			b.eject(now, t, v.why, v.chance)
		}
	}
}

func (b *Balancer) note(e Ejection) {
	if len(b.ejections) == MaxEjections {
		b.dropped++
		return
	}
	b.ejections = append(b.ejections, e)
}

// Ejections returns what was ejected and came back, and how many entries beyond [MaxEjections]
// were dropped.
func (b *Balancer) Ejections() (all []Ejection, dropped uint64) {
	return slices.Clone(b.ejections), b.dropped
}

// Panics returns how many requests were routed without regard to health.
func (b *Balancer) Panics() uint64 { return b.panics }
