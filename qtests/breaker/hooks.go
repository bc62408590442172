package breaker

// deliveries are the transitions that wait for OnTransition.
type deliveries struct {
	limit   int
	queue   []Transition
	busy    bool // a goroutine is delivering
	dropped uint64
}

func (d *deliveries) add(ts []Transition) {
	for _, t := range ts {
		if len(d.queue) >= d.limit {
			d.dropped++
			continue
		}
		d.queue = append(d.queue, t)
	}
}

// waiting reports whether somebody should start delivering.
func (d *deliveries) waiting() bool { return len(d.queue) > 0 && !d.busy }

// deliver calls OnTransition for everything that waits, unless another
// goroutine is at it, which then takes ours too. A hook that panics or exits its
// goroutine does so in our caller; the remaining deliveries are made first.
func (b *Breaker) deliver() {
	if !b.startDelivering() {
		return
	}
	returned := false
	defer func() {
		if !returned {
			b.mu.Lock()
			b.mu.deliveries.busy = false
			b.mu.Unlock()
			b.deliver()
		}
	}()
	for {
		t, ok := b.nextDelivery()
		if !ok {
			returned = true
			return
		}
		b.cfg.OnTransition(t)
	}
}

func (b *Breaker) startDelivering() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	start := b.mu.deliveries.waiting()
	b.mu.deliveries.busy = b.mu.deliveries.busy || start
	return start
}

// nextDelivery takes the next delivery, or ends the delivering in the same step
// in which it finds the queue empty, so that none is left between two deliverers.
func (b *Breaker) nextDelivery() (Transition, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d := &b.mu.deliveries
	if len(d.queue) == 0 {
		d.busy = false
		d.queue = nil
		return Transition{}, false
	}
	t := d.queue[0]
	d.queue = d.queue[1:]
	return t, true
}
