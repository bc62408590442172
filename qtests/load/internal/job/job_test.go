package job

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFailuresAreOnThePage(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.md")
	failed := &result.Result{Scenario: "shop", Thresholds: []result.Verdict{{Threshold: "p(99)<1s | x", Actual: "2s"}}, Repeat: "go test"}
	for name, tell := range map[string]*result.Result{"": failed, page: {Scenario: "fine"}} {
		t.Setenv(Variable, name)
		TellFailure(t, tell)
	}
	require.NoFileExists(t, page, "no page, and no failure")
	t.Setenv(Variable, page)
	TellFailure(t, failed)
	TellFailure(t, failed)
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	once := "### shop failed in TestFailuresAreOnThePage\n\n| what | found |\n|---|---|\n| why | threshold p(99)&lt;1s \\| x broken: 2s |\n| requests | 0 |\n| p99 | 0s |\n| errors | 0% |\n| repeat with | go test |\n\n"
	require.Equal(t, once+once, string(text))

	t.Setenv(Variable, t.TempDir())
	rec := tbtest.Run("t", func(t *tbtest.TB) { TellFailure(t, failed) })
	require.False(t, rec.Failed(), "a page that cannot be written fails no test")
	require.Len(t, rec.Logs(), 1)
}
