package tbtest

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRunRecords(t *testing.T) {
	var order []string
	r := Run("outer", func(t *TB) {
		t.Helper()
		t.Cleanup(func() {
			order = append(order, "first registered")
			t.Cleanup(func() { order = append(order, "registered by a cleanup") })
		})
		t.Cleanup(func() { order = append(order, "last registered"); t.FailNow() })
		t.Logf("%s logs", t.Name())
		t.Errorf("bad %d", 1)
		t.Errorf("bad %d", 2)
		t.FailNow()
		order = append(order, "unreachable")
	})
	require.True(t, r.Failed())
	require.Equal(t, "bad 1\nbad 2", r.Errors())
	require.Equal(t, []string{"outer logs"}, r.Logs())
	require.Equal(t, []string{"last registered", "first registered", "registered by a cleanup"}, order)
	require.False(t, Run("x", func(*TB) {}).Failed())
}
