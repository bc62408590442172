package stress

import (
	"testing"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

func TestFactor(t *testing.T) {
	for text, want := range map[string]int{"": 1, "1": 1, "20": 20} {
		t.Setenv("QTESTS_STRESS", text)
		if n := Factor(t); n != want {
			t.Errorf("QTESTS_STRESS=%q: %d, want %d", text, n, want)
		}
	}
}

func TestRounds(t *testing.T) {
	t.Setenv("QTESTS_STRESS", "3")
	want := 60
	if ordered.Race {
		want = 15
	}
	if n := Rounds(t, 20); n != want {
		t.Errorf("%d, want %d", n, want)
	}
	t.Setenv("QTESTS_STRESS", "")
	if n := Rounds(t, 1); n != 1 {
		t.Errorf("%d, want one round at least", n)
	}
}

func TestFigures(t *testing.T) {
	went := false
	t.Run("figures", func(t *testing.T) {
		Figures(t)
		went = true
	})
	if went == ordered.Race {
		t.Errorf("a test of figures went on: %v", went)
	}
}
