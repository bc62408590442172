package route

import (
	"fmt"
	"math"
	"time"
)

// Sweep is due every Outliers.Interval. Ejections that are over end, and the targets are compared
// with each other.
func (b *Balancer) Sweep(now time.Time) {
	if b.outliers == nil {
		return
	}
	for _, t := range b.targets {
		x := &t.outlier
		switch {
		case x.returns(*b.outliers, now):
			x.ejected = false
			x.errors, x.gateway = 0, 0
			b.note(Ejection{At: now, Target: t.ID})
		case !x.ejected && x.times > 0:
			x.times--
		}
	}
	b.bySuccess(now)
	b.byShare(now)
	for _, t := range b.targets {
		t.outlier.requests, t.outlier.ok = 0, 0
	}
}

func (b *Balancer) compared(volume, hosts int) (some []*Target) {
	for _, t := range b.targets {
		if t.outlier.requests >= volume && !t.outlier.ejected {
			some = append(some, t)
		}
	}
	if len(some) < hosts {
		return nil
	}
	return some
}

func (t *Target) success() float64 { return float64(t.outlier.ok) / float64(t.outlier.requests) }

func (b *Balancer) bySuccess(now time.Time) {
	o := *b.outliers
	some := b.compared(o.SuccessVolume, o.SuccessHosts)
	mean, square := 0.0, 0.0
	for _, t := range some {
		mean += t.success() / float64(len(some))
	}
	for _, t := range some {
		square += (t.success() - mean) * (t.success() - mean) / float64(len(some))
	}
	least := mean - o.SuccessStdev*math.Sqrt(square)
	for _, t := range some {
		if t.success() < least {
			b.eject(now, t, fmt.Sprintf("success rate %.4g below %.4g", t.success(), least), o.EnforceSuccess)
		}
	}
}

func (b *Balancer) byShare(now time.Time) {
	o := *b.outliers
	if o.EnforceFailureShare == 0 {
		return
	}
	for _, t := range b.compared(o.FailureVolume, o.FailureHosts) {
		if 1-t.success() >= o.FailureShare {
			b.eject(now, t, fmt.Sprintf("%.4g of its requests failed", 1-t.success()), o.EnforceFailureShare)
		}
	}
}

// eject ejects t with the given chance, unless too many are ejected.
func (b *Balancer) eject(now time.Time, t *Target, why string, chance float64) {
	o := *b.outliers
	ejected := 0
	for _, other := range b.targets {
		if other.outlier.ejected {
			ejected++
		}
	}
	few := float64(ejected+1) <= o.MaxEjected*float64(len(b.targets)) || ejected == 0 && !o.NeverLone
	if t.outlier.ejected || !few || chance == 0 || chance < 1 && b.rand.Float64() >= chance {
		return
	}
	t.outlier.ejected, t.outlier.since = true, now
	t.outlier.times++
	b.note(Ejection{At: now, Target: t.ID, Out: true, Why: why})
}
