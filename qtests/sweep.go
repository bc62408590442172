package qtests

import (
	"fmt"
	"testing"

	"github.com/go-qtests/qtests/qtests/internal/settings"
	"github.com/go-qtests/qtests/qtests/internal/share"
)

// A sweep is a test under its seeds. Of several it runs those that belong to the share of this
// process.
type sweep struct {
	share.Sweep
	share share.Share
	dealt bool // among processes
}

func newSweep(test string, first uint64, seeds int) *sweep {
	s := &sweep{share: share.Current()}
	s.Test, s.First, s.Seeds = test, first, seeds
	if s.dealt = seeds > 1 && !s.share.Whole(); s.dealt { // others read it: it costs a fifth of a bubble
		s.Version, s.Qtests, s.Index, s.Of, s.Failed = share.SweepVersion, share.ModuleVersion(), s.share.Index, s.share.Of, []uint64{}
		s.Settings = fmt.Sprintf("explore=%v verify=%v strict=%v", settings.Explore.Get(), settings.Verify.Get(), settings.Strict.Get())
	}
	return s
}

// takes reports whether the seed of an index, from 0, is to be run here.
func (s *sweep) takes(i uint64) bool { return !s.dealt || s.share.Takes(int64(i)+1) }

// ran takes note of a seed that was run.
func (s *sweep) ran(seed uint64, o outcome) {
	s.Ran++
	switch {
	case o.failed || o.abandoned:
		s.Failed = append(s.Failed, seed)
	case o.skipped:
		s.Skipped++
	}
	if o.abandoned {
		s.Stopped = &seed
	}
}

// fail ends a test that failed under some of its seeds.
func (s *sweep) fail(t *testing.T) {
	t.Helper()
	t.Errorf("%s", s.Report())
	adviseOrder(t, s.Repeat)
	s.leave(t)
	t.FailNow()
}

// failAlone ends a test of one seed that failed, which is to be repeated by a command.
func (s *sweep) failAlone(t *testing.T, repeat string) {
	t.Helper()
	t.Logf("qtests: to repeat: %s", repeat)
	adviseOrder(t, repeat)
	s.Repeat = repeat
	s.leave(t)
	t.FailNow()
}

// leave writes what the part came to for those who put the parts together.
func (s *sweep) leave(t *testing.T) {
	if !s.dealt || share.Results() == "" {
		return
	}
	t.Helper()
	room, err := s.share.Open(share.Results(), s.Test, "seeds")
	if err == nil {
		err = s.Write(room)
	}
	if err != nil {
		t.Errorf("qtests: part %s of the sweep: %v", s.share, err)
		return
	}
	t.Logf("qtests: part %s: %d of %d seeds; put the parts together with: go tool qtests merge %s", s.share, s.Ran, s.Seeds, share.Results())
}
