package site

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSites(t *testing.T) {
	const line = "\tc.total += c.step // the sum"
	for op := MapRead; op <= Other; op++ {
		for _, size := range []int{0, 1, 2, 4, 8} {
			for bits := range 4 {
				s := New(op, size, op == Load, bits&1 > 0, bits&2 > 0, 2, len("c.total"))
				require.Equal(t, op, s.Op())
				require.Equal(t, size, s.Size())
				require.Equal(t, bits&1 > 0, s.Signed())
				require.Equal(t, bits&2 > 0, s.Pointer())
				require.Equal(t, "c.total", s.In(line))
				require.Equal(t, op == Load, s&siteReads != 0)
			}
		}
	}
	require.Empty(t, New(Read, 8, true, true, false, 5000, 3).In(line), "a column that has no room")
	require.Empty(t, New(Read, 8, true, true, false, 200, 3).In(line), "another text of the file")
	require.Equal(t, "c.x", New(Read, 8, true, true, false, 1, 3).In("c.x = 1"), "the first column")
	require.Empty(t, Site(0).In(line), "no column")
	long := strings.Repeat("x", maxCol+10)
	require.Empty(t, New(Read, 8, true, true, false, maxCol, 3).In(long))
	require.Empty(t, New(Read, 8, true, true, false, 5000, 3).In(long))
	require.Equal(t, "xxx", New(Read, 8, true, true, false, maxCol-1, 3).In(long))
	require.Equal(t, "// the sum", New(Read, 8, true, true, false, 20, 5000).In(line))
}

func TestHelperFiles(t *testing.T) {
	require.True(t, Helper("/home/me/shop/"+HelperFile+".go"))
	require.True(t, Helper(HelperFile+"_shop_test.go"))
	require.False(t, Helper("/home/"+HelperFile+"/shop.go"))
}
