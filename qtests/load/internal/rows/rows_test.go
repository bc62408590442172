package rows

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLimits(t *testing.T) {
	table, objects := "a\n1\n2\n3\n", "{\"a\":1}\n{\"a\":2}{\"a\":3}"
	for name, text := range map[string]string{"csv": table, "json": objects} {
		read := func(rows int, bytes int64) error {
			get := CSV
			if name == "json" {
				get = JSON
			}
			all, err := get("f", strings.NewReader(text), rows, bytes)
			if err == nil {
				require.Len(t, all, 3)
			}
			return err
		}
		size := int64(len(text))
		require.NoError(t, read(3, size))
		require.EqualError(t, read(2, size), "load: feed f: more than 2 rows")
		for _, short := range []int64{size - 1, size - 5, 3} {
			require.EqualError(t, read(3, short), fmt.Sprintf("load: feed f: longer than %d bytes", short), name)
		}
	}
}
