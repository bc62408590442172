package breaker

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/stress"
	"github.com/go-qtests/qtests/qtests/tb"
)

// modelClock is moved by the test alone.
type modelClock struct {
	clock.Clock
	now time.Time
}

func (c *modelClock) Now() time.Time                  { return c.now }
func (c *modelClock) Since(t time.Time) time.Duration { return c.now.Sub(t) }

// A source chooses: a random generator, or the fuzzer's bytes.
type source interface{ IntN(n int) int }

// A pair is the breaker and the reference, driven alike.
type pair struct {
	t       testing.TB
	src     source
	clk     *modelClock
	b       *Breaker
	ref     *reference
	hooks   []Transition
	permits []pairPermit
	trace   []string
	seen    int // transitions compared
	// what happened in all, and what the script still owes
	admitted, rejected, rejects, fails int
}

type pairPermit struct {
	permit Permit
	ref    refCall
}

// modelConfig draws a configuration in which everything happens soon.
func modelConfig(src source) Config {
	pick := func(values ...int) int { return values[src.IntN(len(values))] }
	cfg := Config{
		ResetTimeout: time.Duration(pick(0, 1, 10)) * time.Second, ProbeTimeout: time.Duration(pick(0, 3, 20)) * time.Second,
		Probes: pick(0, 1, 2, 5), LogSize: 1 << 12, BackoffFactor: float64(pick(0, 1, 2)),
	}
	if cfg.BackoffFactor > 1 {
		cfg.MaxResetTimeout = time.Duration(pick(0, 30, 45)) * time.Second
	}
	if src.IntN(3) == 0 {
		cfg.ProbeFailureRate = float64(1+src.IntN(4)) / 4
	} else if cfg.Probes > 0 {
		cfg.SuccessThreshold = src.IntN(cfg.Probes + 1)
	}
	if src.IntN(3) > 0 {
		cfg.FailureThreshold = pick(0, 1, 3, 5)
	}
	if src.IntN(3) > 0 {
		cfg.SlowCall = time.Duration(pick(1, 3)) * time.Second
	}
	if src.IntN(2) == 0 {
		cfg.FailureRate = float64(1+src.IntN(10)) / 10
	}
	if cfg.SlowCall > 0 && src.IntN(2) == 0 {
		cfg.SlowCallRate = float64(1+src.IntN(10)) / 10
	}
	if src.IntN(4) == 0 {
		cfg.WindowFailures = pick(1, 2, 3)
	}
	if cfg.windowed() {
		cfg.WindowCalls = pick(0, 3, 7)
		if src.IntN(2) == 0 {
			cfg.Window, cfg.WindowBuckets = time.Duration(pick(5, 20))*time.Second, pick(0, 1, 5)
		}
	}
	if cfg.rated() {
		cfg.MinCalls = src.IntN(4)
	}
	return cfg
}

func newPair(t testing.TB, src source) *pair {
	p := &pair{t: t, src: src, clk: &modelClock{now: time.Unix(0, 0)}}
	cfg := modelConfig(src)
	cfg.Clock = p.clk
	cfg.OnTransition = func(tr Transition) { p.hooks = append(p.hooks, tr) }
	b, err := New(cfg)
	if err != nil {
		t.Fatalf("modelConfig: %v", err)
	}
	p.b, p.ref = b, &reference{c: b.cfg, gen: 1}
	return p
}

// step does one random operation to both.
func (p *pair) step() {
	switch op := p.src.IntN(16); op {
	case 0, 1:
		d := []time.Duration{1, time.Second, p.b.cfg.ProbeTimeout, p.b.Stats().RetryAfter, p.b.Stats().RetryAfter - 1, 11 * time.Second}[p.src.IntN(6)]
		d = min(max(d, 0), time.Hour)
		p.note("advance %v", d)
		p.clk.now = p.clk.now.Add(d)
		p.ref.tick(d)
	case 2, 3, 4:
		p.begin()
	case 5, 6:
		if len(p.permits) > 0 {
			p.end(p.src.IntN(len(p.permits)), outcome(p.src.IntN(3)))
		}
	case 7:
		p.control()
	default: // a call from begin to end
		if p.begin() {
			o := success
			if op > 10 {
				o = outcome(p.src.IntN(3))
			}
			p.end(len(p.permits)-1, o)
		}
	}
	// Not after every step: looking brings the breaker up to date.
	if p.src.IntN(3) == 0 {
		p.compare()
	}
}

func (p *pair) begin() bool {
	p.note("begin")
	permit, err := p.b.Allow()
	call, ok := refCall{}, false
	if p.rejects > 0 {
		p.rejects--
	} else if call, ok = p.ref.begin(); ok && p.fails > 0 {
		p.fails--
		call.failed = true // until end overwrites it
	}
	if ok != (err == nil) {
		p.fail("Allow: %v, the reference says %v", err, ok)
	}
	if err != nil {
		p.rejected++
		if !errors.Is(err, ErrOpen) {
			p.fail("Allow: %v is not ErrOpen", err)
		}
		return false
	}
	p.admitted++
	p.permits = append(p.permits, pairPermit{permit, call})
	return true
}

var errModel = errors.New("model")

func (p *pair) end(i int, o outcome) {
	p.note("end %d with %d", i, o)
	call := p.permits[i]
	p.permits = append(p.permits[:i:i], p.permits[i+1:]...)
	switch o {
	case success:
		call.permit.Done(nil)
	case failure:
		call.permit.Done(errModel)
	case ignored:
		call.permit.Cancel()
	}
	if call.ref.failed {
		o = failure
	}
	p.ref.end(call.ref, o)
}

func (p *pair) control() {
	verb := p.src.IntN(12)
	p.note("control %d", verb)
	switch verb {
	case 0, 1:
		p.b.Trip()
		if p.ref.state != Open && p.ref.mode != ForcedClosed {
			p.ref.enter(Open, p.ref.now)
		}
	case 2, 3:
		p.b.Reset()
		if p.ref.mode == Automatic || p.ref.mode == Observing {
			p.ref.enter(Closed, p.ref.now)
		}
	case 4:
		p.b.SetMode(ForcedOpen)
		p.setMode(ForcedOpen, Open)
	case 5:
		p.b.SetMode(ForcedClosed)
		p.setMode(ForcedClosed, Closed)
	case 6:
		p.b.SetMode(Observing)
		p.setMode(Observing, p.ref.state)
	case 7, 8, 9:
		p.b.SetMode(Automatic)
		p.setMode(Automatic, p.ref.state)
	case 10:
		n := 1 + p.src.IntN(2)
		if err := p.b.Script(RejectNext(n)); err != nil {
			p.fail("%v", err)
		}
		p.rejects += n
	case 11:
		n := 1 + p.src.IntN(2)
		if err := p.b.Script(FailNext(n, nil)); err != nil {
			p.fail("%v", err)
		}
		p.fails += n
	}
}

func (p *pair) setMode(mode Mode, s State) {
	if mode != p.ref.mode {
		p.ref.mode = mode
		p.ref.enter(s, p.ref.now)
		p.ref.until = p.ref.now + p.ref.c.ResetTimeout
	}
}

// compare checks everything that can be seen, and the laws of conservation.
func (p *pair) compare() {
	s, log := p.b.Stats(), p.b.mu.machine.log.ring
	if s.State != p.ref.state || s.Mode != p.ref.mode {
		p.fail("state %v %v, the reference is %v %v", s.State, s.Mode, p.ref.state, p.ref.mode)
	}
	if len(log) != len(p.ref.log) || len(p.hooks) != len(log) {
		p.fail("%d transitions, %d delivered, the reference has %d", len(log), len(p.hooks), len(p.ref.log))
	}
	for ; p.seen < len(log); p.seen++ {
		got := fmt.Sprint(log[p.seen].To, " at ", log[p.seen].At.Sub(p.b.made))
		if got != p.ref.log[p.seen] || p.hooks[p.seen] != log[p.seen] {
			p.fail("transition %d: %s, the reference has %s", p.seen, got, p.ref.log[p.seen])
		}
	}
	byCalls, byTime, _, _ := p.ref.sums()
	if s.State == Closed && (s.Counts.ByCalls != byCalls || s.Counts.ByTime != byTime) {
		p.fail("windows %v %v, the reference has %v %v", s.Counts.ByCalls, s.Counts.ByTime, byCalls, byTime)
	}
	if want := p.ref.counts(); s.State == Closed && (s.Counts.Successes != want.Successes || s.Counts.Failures != want.Failures ||
		s.Counts.ConsecutiveSuccesses != want.ConsecutiveSuccesses || s.Counts.ConsecutiveFailures != want.ConsecutiveFailures) {
		p.fail("counts %+v, the reference has %+v", s.Counts, want)
	}
	if n := int(s.Successes + s.Failures + s.Ignored + s.Stale); n+s.InFlight != p.admitted || s.InFlight != len(p.permits) {
		p.fail("%d finished + %d in flight, %d were admitted", n, s.InFlight, p.admitted)
	}
	if int(s.Rejected) != p.rejected {
		p.fail("%d rejected, want %d", s.Rejected, p.rejected)
	}
}

// counts computes the counts of a closed breaker from the reference's results.
func (r *reference) counts() (c Counts) {
	for _, result := range r.results {
		c.record(outcome(one[result.failed]), result.slow) // success is 0, failure 1
	}
	return c
}

func (p *pair) note(format string, args ...any) {
	p.trace = append(p.trace, fmt.Sprintf("%v: ", p.clk.now.Sub(p.b.made))+fmt.Sprintf(format, args...))
}

func (p *pair) fail(format string, args ...any) {
	p.t.Helper()
	cfg := p.b.cfg
	cfg.Clock, cfg.OnTransition = nil, nil
	p.t.Fatalf("%s\nconfig: %+v\nafter:\n%s\n%s", fmt.Sprintf(format, args...), cfg, strings.Join(p.trace, "\n"), p.b.history().table())
}

// sequenceLength is how many operations one sequence has at most.
const sequenceLength = 60

// TestModel compares random sequences of operations with the reference.
// QTESTS_STRESS=20 makes it 100,000 sequences. QTESTS_MODEL_SEQUENCE=n repeats
// sequence n alone.
func TestModel(t *testing.T) {
	stream := tb.StreamOf(t, "breaker model")
	first, n := 0, 5000*stress.Factor(t)
	if only, err := strconv.Atoi(os.Getenv("QTESTS_MODEL_SEQUENCE")); err == nil {
		first, n = only, 1
	}
	for i := first; i < first+n; i++ {
		modelSequence(t, stream.At(uint64(i)), fmt.Sprintf(
			"QTESTS_MODEL_SEQUENCE=%d go test -run '^TestModel$' ./qtests/breaker -qtests.seed=%d", i, tb.SeedOf(t)))
	}
	t.Logf("%d sequences without a difference", n)
}

func modelSequence(t *testing.T, r *rand.Rand, again string) {
	ended := false
	defer func() {
		if !ended {
			t.Logf("repeat with: %s", again)
		}
	}()
	p := newPair(t, r)
	for range 1 + r.IntN(sequenceLength) {
		p.step()
	}
	p.compare()
	ended = true
}

// bytesSource chooses by the fuzzer's bytes, and zero when they have run out.
type bytesSource struct{ rest []byte }

func (s *bytesSource) IntN(n int) int {
	if len(s.rest) == 0 {
		return 0
	}
	b := s.rest[0]
	s.rest = s.rest[1:]
	return int(b) % n
}

// FuzzModel is TestModel with the operations chosen by the fuzzer.
func FuzzModel(f *testing.F) {
	for i := range 20 {
		seed := make([]byte, 100)
		r := rand.New(rand.NewPCG(1, uint64(i)))
		for j := range seed {
			seed[j] = byte(r.Uint32())
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		src := &bytesSource{data}
		p := newPair(t, src)
		for n := 0; len(src.rest) > 0 && n < 500; n++ {
			p.step()
		}
		p.compare()
	})
}
