package compare

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestThisMachine(t *testing.T) {
	m, err := ThisMachine()
	require.NoError(t, err)
	require.NotEmpty(t, m.CPU)
	require.Positive(t, m.Cores)
}

func TestVersions(t *testing.T) {
	versions, err := Versions()
	require.NoError(t, err)
	require.NotEmpty(t, versions)
	for _, v := range versions {
		require.NotEmpty(t, v.Module)
		require.Regexp(t, `^v\d`, v.Version)
	}
}
