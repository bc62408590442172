package rows

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestErrorsSayWhere(t *testing.T) {
	for text, want := range map[string]string{
		"{\"a\":1}\n[{\"a\":2}, 3]":    "load: feed f: row 3: is not an object",
		"{\"a\":[]}":                   `load: feed f: row 1: "a" is neither a string nor a number nor a truth value`,
		"{\"a\":1}\n\n{\"b\":\nx\n\n}": "load: feed f: line 4: invalid character 'x' looking for beginning of value",
		"{\"a\":1}\n{\"b\":\n\n1,}\n":  "load: feed f: line 4: invalid character '}' looking for beginning of object key string",
		"x":                            "load: feed f: line 1: invalid character 'x' looking for beginning of value",
		"{\"a\":1}\n{\"b\":\n1\n":      "load: feed f: line 3: unexpected EOF",
		"":                             "load: feed f: there are no rows",
	} {
		_, err := JSON("f", strings.NewReader(text), 9, 1000)
		require.EqualError(t, err, want, text)
	}
	for text, want := range map[string]string{
		"":             "load: feed f: no line with the names of the columns: EOF",
		"a,b,a\n1,2,3": `load: feed f: two columns are called "a"`,
		"a,b\n1,2\n3":  "load: feed f: record on line 3: wrong number of fields",
		"a\n":          "load: feed f: there are no rows",
	} {
		_, err := CSV("f", strings.NewReader(text), 9, 1000)
		require.EqualError(t, err, want, text)
	}
}

func TestValuesAreTexts(t *testing.T) {
	all, err := JSON("f", strings.NewReader(`[{"a":null,"b":1.50,"c":true},{"d":"x"}]`), 9, 1000)
	require.NoError(t, err)
	require.Equal(t, []map[string]string{{"a": "", "b": "1.50", "c": "true"}, {"d": "x"}}, all)
}

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
