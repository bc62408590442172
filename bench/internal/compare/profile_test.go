package compare

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var errTest = errors.New("test")

func TestProfile(t *testing.T) {
	burn := Timed(func(testing.TB) func(n int) error {
		return func(n int) error {
			for start := time.Now(); time.Since(start) < 20*time.Millisecond; {
				continue
			}
			return nil
		}
	})
	c := &Comparison{Name: "c", Contestants: []Contestant{Ours(burn)}, Figures: []Figure{TimeOf(Bound(0))}}
	r := Run(t, c, Options{Size: Full, Rounds: 1, Turn: time.Millisecond, Profile: 100 * time.Millisecond})
	require.Contains(t, r.Top, "flat%")
	require.NotContains(t, r.Top, "File:")

	_, err := topOf(filepath.Join(t.TempDir(), "none"))
	require.ErrorContains(t, err, "go tool pprof")
	failing := []entrant{{&c.Contestants[0], func() (Readings, error) { return nil, errTest }}}
	require.ErrorIs(t, profileTurns(failing, filepath.Join(t.TempDir(), "cpu"), time.Second), errTest)
}
