package merge

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load/result"
)

// noLog is the SHA-256 of an empty log.
const noLog = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// TestDamagedPartsAreRefused: every file that a part leaves is checked, and the part is named.
func TestDamagedPartsAreRefused(t *testing.T) {
	var left bytes.Buffer
	require.NoError(t, (&result.Result{Version: result.Version, Interval: time.Second, Part: &result.Part{Index: 1, Of: 1, HLog: noLog}}).WriteJSON(&left))
	load := left.String()
	const sweep = `{"version":1,"test":"TestTransfer","index":1,"of":1,"first":1,"seeds":4,"ran":4,"failed":[]}`
	for name, c := range map[string]struct {
		files map[string]string
		want  string // of the error
	}{
		"a whole load":           {map[string]string{"load-1-of-1.json": load, "load-1-of-1.hlog": ""}, ""},
		"a load without a log":   {map[string]string{"load-1-of-1.json": load}, "part 1 of 1: the log of response times is missing: "},
		"a log that was changed": {map[string]string{"load-1-of-1.json": load, "load-1-of-1.hlog": "x"}, "load-1-of-1.hlog is truncated or was changed"},
		"half a load":            {map[string]string{"load-1-of-1.json": load[:len(load)/2], "load-1-of-1.hlog": ""}, "load-1-of-1.json is truncated or no result: "},
		"the load of another":    {map[string]string{"load-2-of-2.json": load, "load-2-of-2.hlog": ""}, "load-2-of-2.json is not the result of that part"},
		"a whole sweep":          {map[string]string{"sweep-1-of-1.json": sweep}, ""},
		"half a sweep":           {map[string]string{"sweep-1-of-1.json": sweep[:40]}, "part 1 of 1: "},
		"the sweep of another":   {map[string]string{"sweep-2-of-2.json": sweep}, "sweep-2-of-2.json is truncated or no sweep: is of another part"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range c.files {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666))
			}
			runs, err := Dir(dir)
			require.NoError(t, err)
			if c.want == "" {
				require.NoError(t, runs[0].Err)
			} else {
				require.ErrorContains(t, runs[0].Err, c.want)
			}
		})
	}
}
