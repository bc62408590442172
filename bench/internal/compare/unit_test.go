package compare

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		unit Unit
		x    float64
		want string
	}{
		{Nanoseconds, 9.876, "9.88 ns"},
		{Nanoseconds, 12.34, "12.3 ns"},
		{Nanoseconds, 999.4, "999 ns"},
		{Nanoseconds, 1234, "1.23 µs"},
		{Nanoseconds, 2e6, "2 ms"},
		{Nanoseconds, 12e9, "12 s"},
		{Nanoseconds, -1500, "-1.50 µs"},
		{Nanoseconds, 0, "0 ns"},
		{Bytes, 4096, "4,096 B"},
		{Bytes, -32, "-32 B"},
		{Bytes, 100 << 10, "100 KiB"},
		{Bytes, 8 << 20, "8 MiB"},
		{PerSecond, 31234.5, "31,234/s"},
		{Count, 1, "1"},
		{Count, 1_234_567, "1,234,567"},
		{Count, 0.264, "0.26"},
		{Count, 0.00123, "0.0012"},
		{Count, -0.4, "-0.40"},
	} {
		require.Equal(t, c.want, c.unit.Format(c.x), "%v", c.x)
	}
}
