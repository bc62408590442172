package stress

import "testing"

func TestFactor(t *testing.T) {
	for text, want := range map[string]int{"": 1, "1": 1, "20": 20} {
		t.Setenv("QTESTS_STRESS", text)
		if n := Factor(t); n != want {
			t.Errorf("QTESTS_STRESS=%q: %d, want %d", text, n, want)
		}
	}
}
