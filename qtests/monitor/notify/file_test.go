package notify_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/notify"
)

// notification has the name in its labels, so that its line can be told.
func notification(name string) monitor.Notification {
	return monitor.Notification{At: time.Unix(1, 0).UTC(), Alerts: []monitor.Alert{{Name: name, Labels: monitor.Labels{"alertname": name}}}}
}

// written returns the names of the notifications in a file, each on a line of its own.
func written(t *testing.T, path string) (names []string) {
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	for line := range bytes.Lines(data) {
		var x struct {
			Notification struct {
				Alerts []struct{ Labels map[string]string }
			}
		}
		if err := json.Unmarshal(line, &x); err != nil {
			names = append(names, "?"+strings.TrimSpace(string(line)))
			continue
		}
		names = append(names, x.Notification.Alerts[0].Labels["alertname"])
	}
	return names
}

// A rotation that fails is an error, and not the end of the channel.
func TestFileGoesOnAfterAFailedRotation(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "alerts.jsonl")
	f, err := notify.OpenFile(notify.FileConfig{Path: path, MaxBytes: 500, Keep: 2})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	require.NoError(t, f.Notify(t.Context(), notification("first")))
	// A directory with something in it cannot be replaced.
	require.NoError(t, os.MkdirAll(filepath.Join(path+".1", "x"), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(path+".2", "x"), 0o755))
	for range 3 {
		err = f.Notify(t.Context(), notification("second"))
		require.ErrorContains(t, err, "rotation: rename")
		require.NotErrorIs(t, err, monitor.ErrPermanent)
		require.Equal(t, []string{"first"}, written(t, path), "what could not be written is sent again by the monitor")
	}
	require.NoError(t, os.RemoveAll(path+".1"))
	require.NoError(t, os.RemoveAll(path+".2"))
	require.NoError(t, f.Notify(t.Context(), notification("second")))
	require.Equal(t, []string{"second"}, written(t, path))
	require.Equal(t, []string{"first"}, written(t, path+".1"))

	// The same where the file cannot be opened again.
	require.NoError(t, os.RemoveAll(dir))
	require.Error(t, f.Notify(t.Context(), notification("third")))
	require.Error(t, f.Notify(t.Context(), notification("third")))
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, f.Notify(t.Context(), notification("third")))
	require.Equal(t, []string{"third"}, written(t, path))
	require.NoError(t, f.Close())
	err = f.Notify(t.Context(), notification("fourth"))
	require.ErrorIs(t, err, os.ErrClosed)
	require.ErrorIs(t, err, monitor.ErrPermanent)
}

// A file that another process left in the middle of a line goes on with a new one.
func TestFileBeginsALine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.jsonl")
	require.NoError(t, os.WriteFile(path, []byte(`{"half`), 0o644))
	f, err := notify.OpenFile(notify.FileConfig{Path: path})
	require.NoError(t, err)
	require.NoError(t, f.Notify(t.Context(), notification("first")))
	require.NoError(t, f.Notify(t.Context(), notification("second")))
	require.NoError(t, f.Close())
	require.Equal(t, []string{`?{"half`, "first", "second"}, written(t, path))
}

// A file takes just MaxBytes, and Keep older files stay, the newest under the lowest number.
func TestFilesThatStay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.jsonl")
	send := func(maxBytes int64, keep int, names ...string) {
		f, err := notify.OpenFile(notify.FileConfig{Path: path, MaxBytes: maxBytes, Keep: keep})
		require.NoError(t, err)
		for _, name := range names {
			require.NoError(t, f.Notify(t.Context(), notification(name)))
		}
		require.NoError(t, f.Close())
	}
	send(1, 3, "0")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.NoFileExists(t, path+".1", "a line that is too long for any file has one of its own")
	line := info.Size()
	send(2*line, 3, "1", "2", "3", "4", "5", "6", "7", "8", "9")
	for name, want := range map[string][]string{"": {"8", "9"}, ".1": {"6", "7"}, ".2": {"4", "5"}, ".3": {"2", "3"}} {
		require.Equal(t, want, written(t, path+name), name)
	}
	require.NoFileExists(t, path+".4")
	send(2*line-1, 3, "a")
	require.Equal(t, []string{"a"}, written(t, path))
}

func TestCloseAfterAFailedRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.jsonl")
	f, err := notify.OpenFile(notify.FileConfig{Path: path, MaxBytes: 1, Keep: 1})
	require.NoError(t, err)
	require.NoError(t, f.Notify(t.Context(), notification("first")))
	require.NoError(t, os.MkdirAll(filepath.Join(path+".1", "x"), 0o755))
	require.Error(t, f.Notify(t.Context(), notification("second")))
	require.NoError(t, f.Close(), "there is nothing to close")
}

func TestRecorderIsBounded(t *testing.T) {
	var r notify.Recorder
	for range notify.MaxRecorded + 1 {
		require.NoError(t, r.Notify(t.Context(), monitor.Notification{}))
	}
	require.Len(t, r.Notifications(), notify.MaxRecorded)
}
