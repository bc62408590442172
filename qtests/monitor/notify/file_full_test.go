package notify

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

var errFull = errors.New("no space left on device")

// A fullDisk takes no more than room bytes.
type fullDisk struct {
	*os.File
	room  int
	stuck bool // the file cannot be made shorter either
}

func (d *fullDisk) Write(p []byte) (int, error) {
	n, err := d.File.Write(p[:min(len(p), d.room)])
	if d.room -= n; err == nil && n < len(p) {
		err = errFull
	}
	return n, err
}

func (d *fullDisk) Truncate(size int64) error {
	if d.stuck {
		return errFull
	}
	info, err := d.Stat()
	if err != nil {
		return err
	}
	d.room += int(info.Size() - size)
	return d.File.Truncate(size)
}

// What a full disk takes of a line is taken back, or ended, so that the next line is
// whole.
func TestLinesOnAFullDisk(t *testing.T) {
	for stuck, want := range map[bool]string{false: "first\nthird\nfourth\n", true: "first\nsec\nthird\nfourth\n"} {
		path := filepath.Join(t.TempDir(), "lines")
		r := rotating{cfg: FileConfig{Path: path, MaxBytes: 1 << 20, Keep: 1}}
		require.NoError(t, r.open())
		disk := &fullDisk{File: r.f.(*os.File), room: 9, stuck: stuck}
		r.f = disk
		require.NoError(t, r.write([]byte("first\n")))
		require.ErrorIs(t, r.write([]byte("second\n")), errFull)
		for range 2 { // nothing fits
			disk.room = 0
			require.ErrorIs(t, r.write([]byte("second\n")), errFull)
		}
		disk.room = 1 << 20
		require.NoError(t, r.write([]byte("third\n")))
		require.NoError(t, r.write([]byte("fourth\n")))
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, want, string(data))
		require.EqualValues(t, len(want), r.size)
		require.NoError(t, r.close())
	}
}
