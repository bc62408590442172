package kept

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load/result"
)

func TestWhatIsWrittenIsRead(t *testing.T) {
	name := filepath.Join(t.TempDir(), "testdata", "baselines", "shop.json")
	_, err := Read(name, "go test -update")
	require.EqualError(t, err, "there is no "+name+"; keep this result as the baseline with: go test -update")

	s := result.Summary{Version: result.Version, Scenario: "shop", Scale: 1, Interval: time.Second, Figures: []result.Figure{{Name: "errors", Value: 0.5, Low: 0.25, High: 0.75}}}
	require.NoError(t, Write(name, s))
	got, err := Read(name, "")
	require.NoError(t, err)
	require.Equal(t, s.Figures, got.Figures)

	require.NoError(t, os.WriteFile(name, []byte("{"), 0o600))
	_, err = Read(name, "")
	require.ErrorContains(t, err, name+": load: summary: ")
	_, err = Read(name+"/below", "")
	require.ErrorContains(t, err, "not a directory")
	require.NotContains(t, err.Error(), "load: summary", "nothing was read")
}

func TestWhatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.ErrorContains(t, Write(filepath.Join(file, "a", "b.json"), result.Summary{}), "not a directory")
	name := filepath.Join(dir, "a", "b.json")
	require.ErrorContains(t, Write(name, result.Summary{Scale: math.NaN()}), "load: summary: ")
	require.NoFileExists(t, name)
}
