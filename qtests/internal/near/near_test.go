package near

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNames(t *testing.T) {
	known := []string{"errors_total", "requests_total", "up", "error_seconds", "errors_totals", "errors_tot"}
	for name, want := range map[string][]string{
		"erors_total": {"errors_total", "errors_totals", "errors_tot"}, // and error_seconds, one too many
		"ERRORS_TOT":  {"errors_tot", "errors_total", "errors_totals"},
		"req":         {"requests_total"},
		"uq":          {"up"},
		"re":          nil, // two letters are no beginning
		"temperature": nil,
	} {
		require.Equal(t, want, Names(name, known), name)
	}
	require.Nil(t, Names("up", nil))
}

func TestQuestion(t *testing.T) {
	require.Equal(t, "; did you mean up?", Question("uq", []string{"up"}))
	require.Equal(t, "; did you mean up or us?", Question("uq", []string{"up", "us"}))
	require.Empty(t, Question("temperature", []string{"up"}))
}

func TestDistance(t *testing.T) {
	for pair, want := range map[[2]string]int{
		{"", ""}: 0, {"", "abc"}: 3, {"abc", ""}: 3, {"kitten", "sitting"}: 3, {"ab", "ba"}: 2, {"same", "same"}: 0,
	} {
		require.Equal(t, want, distance(pair[0], pair[1]), pair)
		require.Equal(t, want, distance(pair[1], pair[0]), pair)
	}
}
