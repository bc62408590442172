package qtests

import (
	"testing"
	"testing/synctest"

	"github.com/go-qtests/qtests/qtests/internal/prime"
	"github.com/go-qtests/qtests/qtests/internal/remnants"
)

// BenchmarkRemnants shows what it costs to look for remains, and to collect them, beside
// a bubble of testing/synctest.
func BenchmarkRemnants(b *testing.B) {
	inTest("synctest", func(t *testing.T) {
		b.Run("synctest.Test", func(b *testing.B) {
			for b.Loop() {
				synctest.Test(t, func(*testing.T) {})
			}
		})
	})
	inTest("qtests", func(t *testing.T) {
		b.Run("qtests.Run", func(b *testing.B) {
			for b.Loop() {
				Run(t, func(*T) {})
			}
		})
		b.Run("qtests.Run, pooled", func(b *testing.B) {
			for b.Loop() {
				Run(t, usePooledTimer)
			}
		})
		b.Run("prepare", func(b *testing.B) {
			for b.Loop() {
				prime.Process()
				if left := remnants.Next(remnants.Kind{Test: "Bench"}); left != nil {
					left.End()
				}
			}
		})
	})
}
