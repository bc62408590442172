package load

import (
	"fmt"
	"os"
	"os/signal"
	"time"
)

// A watch is what a run in real time does besides: it stops for Ctrl-C, shows a
// line of progress every second where a person looks on, and judges whether the machine that
// generates the load was the bottleneck. Under a fake clock there is none, and
// a nil watch does nothing.
type watch struct {
	run     *run
	out     *os.File // a terminal, or nil
	signals chan os.Signal
	done    chan struct{}
	ended   chan struct{}
}

// Lateness over which the load is not the one that was asked for: at the 99th
// percentile, a start is this much later than intended.
const maxLateness = 10 * time.Millisecond

func newWatch(r *run) *watch {
	if !isReal(r.clk) {
		return nil
	}
	w := &watch{run: r}
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		w.out = os.Stderr
	}
	return w
}

func (w *watch) begin() {
	if w == nil {
		return
	}
	w.signals, w.done, w.ended = make(chan os.Signal, 1), make(chan struct{}), make(chan struct{})
	// Ctrl-C ends the run, which drains and reports, and not the process.
	signal.Notify(w.signals, os.Interrupt)
	go w.loop()
}

// loop waits at absolute instants, like everything that repeats here.
func (w *watch) loop() {
	defer close(w.ended)
	r := w.run
	for k := time.Duration(1); ; k++ {
		timer := r.clk.Timer(r.clk.Until(r.start.Add(k * time.Second)))
		select {
		case <-timer.C:
			if w.out != nil {
				fmt.Fprintf(w.out, "\r%s\x1b[K", r.progress())
			}
		case s := <-w.signals:
			timer.Stop()
			r.stop(fmt.Errorf("load: %v: ended by the user", s))
			<-w.done
			return
		case <-w.done:
			timer.Stop()
			return
		}
	}
}

// progress is one line about how the run stands.
func (r *run) progress() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.mu.rec
	at := r.offset()
	line := fmt.Sprintf("real: %s %v of %v: %s requests, %s/s, %d in flight, p99 %v, %.3g%% errors", r.Name,
		at.Round(time.Second), r.duration, grouped(rec.all.finished), significant(perSecond(rec.all.finished, at)), rec.inFlight,
		short(rec.all.response.Percentile(99)), 100*float64(rec.all.errors)/float64(max(rec.all.finished, 1)))
	if rec.dropped > 0 {
		line += fmt.Sprintf(", %s dropped", grouped(rec.dropped))
	}
	return line
}

// end stops the watch and judges.
func (w *watch) end(res *Result) {
	if w == nil {
		return
	}
	signal.Stop(w.signals)
	close(w.done)
	<-w.ended
	if w.out != nil {
		fmt.Fprint(w.out, "\r\x1b[K")
	}
	if late := res.Late.Percentile(99); late > maxLateness {
		res.warning = fmt.Sprintf("the load generator was the bottleneck: 1%% of the requests started %v or more after they were due (limit %v); lower the rate or use a faster machine",
			short(late), maxLateness)
		res.slow = w.run.FailWhenSlow
	}
}
