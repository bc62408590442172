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
	s.dealt = seeds > 1 && !s.share.Whole()
	s.Sweep = share.Sweep{
		Version: share.SweepVersion, Qtests: share.ModuleVersion(), Test: test, Index: s.share.Index, Of: s.share.Of, First: first, Seeds: seeds, Failed: []uint64{},
		Settings: fmt.Sprintf("explore=%v verify=%v strict=%v", settings.Explore.Get(), settings.Verify.Get(), settings.Strict.Get()),
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

// fail ends a test of several seeds of which some failed.
func (s *sweep) fail(t *testing.T) {
	t.Helper()
	t.Errorf("%s", s.Report())
	adviseOrder(t, s.Repeat)
	s.leave(t)
	t.FailNow()
}

// leave writes what the part came to for those who put the parts together.
func (s *sweep) leave(t *testing.T) {
	t.Helper()
	if !s.dealt || share.Results() == "" {
		return
	}
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
