package unexpected

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReport(t *testing.T) {
	var l List
	require.Empty(t, l.Report("api"))
	require.True(t, l.Add("GET /a", "no route", "a_test.go:7"))
	const head = ". Each fails the test, even if the code under test handled its error, unless Config.AllowUnexpected is set:"
	require.Equal(t, "api: 1 unexpected call"+head+"\n\ta_test.go:7: GET /a: no route", l.Report("api"))
	require.False(t, l.Add("GET /a", "another reason", "a_test.go:8"))
	require.True(t, l.Add("GET /b", "", ""))
	require.Equal(t, "api: 3 unexpected calls"+head+"\n\ta_test.go:7: GET /a (2 times): no route\n\tGET /b", l.Report("api"))
	require.Equal(t, uint64(3), l.Total())
}

func TestListIsBounded(t *testing.T) {
	var l List
	for i := range 1000 {
		require.Equal(t, i < maxKept, l.Add(fmt.Sprint("call ", i), "", ""))
	}
	require.Len(t, l.calls, maxKept)
	require.True(t, strings.HasSuffix(l.Report("db"), "\n\tcall 9\n\tand 990 more"))
}
