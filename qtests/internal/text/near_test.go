package text

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNear(t *testing.T) {
	known := []string{"errors_total", "requests_total", "up", "error_seconds", "errors_totals", "errors_tot"}
	for name, want := range map[string][]string{
		"erors_total": {"errors_total", "errors_totals", "errors_tot"}, // and error_seconds, one too many
		"ERRORS_TOT":  {"errors_tot", "errors_total", "errors_totals"},
		"req":         {"requests_total"},
		"uq":          {"up"},
		"re":          nil, // two letters are no beginning
		"temperature": nil,
	} {
		require.Equal(t, want, Near(name, known), name)
	}
	require.Nil(t, Near("up", nil))
}

func TestDidYouMean(t *testing.T) {
	require.Equal(t, "; did you mean up?", DidYouMean("uq", []string{"up"}))
	require.Equal(t, "; did you mean up or us?", DidYouMean("uq", []string{"up", "us"}))
	require.Empty(t, DidYouMean("temperature", []string{"up"}))
}

func TestUnknown(t *testing.T) {
	require.EqualError(t, Unknown("step", "chekout", []string{"checkout", "browse"}), `unknown step "chekout"; did you mean "checkout"?`)
	require.EqualError(t, Unknown("step", "uq", []string{"up", "us"}), `unknown step "uq"; did you mean "up" or "us"?`)
	require.EqualError(t, Unknown("step", "temperature", []string{"up", "us"}), `unknown step "temperature"; known: up, us`)
	require.EqualError(t, Unknown("step", "a", nil), `unknown step "a"; there is none`)
}

func TestDistance(t *testing.T) {
	for pair, want := range map[[2]string]int{
		{"", ""}: 0, {"", "abc"}: 3, {"abc", ""}: 3, {"kitten", "sitting"}: 3, {"ab", "ba"}: 2, {"same", "same"}: 0,
	} {
		require.Equal(t, want, distance(pair[0], pair[1]), pair)
		require.Equal(t, want, distance(pair[1], pair[0]), pair)
	}
}
