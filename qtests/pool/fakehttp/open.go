package fakehttp

import (
	"github.com/jarcoal/httpmock"

	"github.com/go-qtests/qtests/qtests/pool"
	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/pool/internal/cleanup"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
	"github.com/go-qtests/qtests/qtests/tb"
)

// NewT returns an open fake, which closes when t ends. t fails then if the body of a
// response was neither read to its end nor closed, and if no route answered a request,
// also where the code under test has swallowed the error: see Config.AllowUnexpected. A
// cfg that is negative or contradictory fails t at once.
func NewT(t tb.TB, cfg Config) *Fake {
	t.Helper()
	if err := cfg.validate(); err != nil {
		tb.Fatalf(t, "%v", err)
	}
	common := fault.ConfigOf(cfg).WithDefaults(t, "http", DefaultMax)
	h := &Fake{cfg: cfg, common: common, opened: common.Clock.Now(), mock: httpmock.NewMockTransport()}
	h.engine = fault.New(common, h.resize)
	h.metrics = pool.NewCollector(common.Name, func() pool.Stats { return h.Stats().Pool })
	h.Faults = newFaults(fault.NewScope("fakehttp", t, h.engine))
	opens := fault.NewBehaviour(cfg.ConnectLatency, 0, nil)
	h.connect = connecting{fake.OpOf(h.scope, "connect", opens), opens}
	h.mu.hosts, h.mu.dials = map[string]*pool.Pool[*conn]{}, map[string][]*pendingDial{}
	h.mu.calls, h.mu.found, h.mu.capacity = map[string]*uint64{}, map[question]finding{}, common.Max
	t.Cleanup(func() { t.Helper(); h.cleanup(t) })
	return h
}

func (h *Fake) cleanup(t tb.TB) {
	t.Helper()
	var pools []*pool.Pool[*conn]
	h.locked(func(s *state) {
		s.closed = true
		pools = s.pools()
	})
	h.engine.Close()
	for _, p := range pools { // all of them, before the first one waits
		cleanup.AtOnce(p.Close)
	}
	for _, p := range pools {
		if err := cleanup.Close(h.common.Clock, p.Close); err != nil {
			t.Errorf("%s: the body of a response not closed: %v", h.common.Name, err)
		}
	}
	h.waitForLeftovers()
	report := ""
	h.locked(func(s *state) { report = s.unexpected.Report(h.common.Name) })
	if report != "" && !h.cfg.AllowUnexpected {
		t.Errorf("%s", report)
	}
}
