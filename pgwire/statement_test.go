package pgwire

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	types := pgtype.NewMap()
	for _, c := range []struct {
		text   string
		rows   bool
		tag    string
		params []uint32
	}{
		{"select 1", true, "SELECT 3", nil},
		{"(SELECT 1)", true, "SELECT 3", nil},
		{"-- why\nWITH a AS (SELECT $2) SELECT $1", true, "SELECT 3", []uint32{0, 0}},
		{"insert into t values ($1) returning id", true, "INSERT 0 3", []uint32{0}},
		{"insert into returning_customers values (1)", false, "INSERT 0 3", nil},
		{"DELETE FROM t WHERE a = '$1 returning ' AND b = $1::int", false, "DELETE 3", []uint32{pgtype.Int4OID}},
		{"UPDATE t SET a = $1::bigint[], b = $tag$ $9 $tag$, c = $2::nothing", false, "UPDATE 3", []uint32{pgtype.Int8ArrayOID, 0}},
		{"CREATE TABLE t (id int)", false, "CREATE TABLE", nil},
		{"SELECT $0, $65536, $99999999999999999999", true, "SELECT 3", nil},
		{"", false, "", nil}, {"'open", false, `"""""`, nil}, {"/* open", false, "", nil},
	} {
		s := parse(types, c.text, nil)
		require.Equal(t, c.rows, s.rows, c.text)
		require.Equal(t, c.tag, s.tag(3), c.text)
		require.Equal(t, c.params, s.params, c.text)
	}
	require.Len(t, parse(types, "SELECT $65535", nil).params, maxParameters)
	require.Equal(t, []uint32{pgtype.TextOID, pgtype.JSONBOID}, parse(types, "SELECT $1::int, $2::jsonb", []uint32{pgtype.TextOID}).params)
}

func TestSplit(t *testing.T) {
	require.Equal(t, []string{"a ';' b", `c ";"`, "/* ; */ d", "$$ ; $$"}, split(`a ';' b; c ";" ;; /* ; */ d; $$ ; $$ ;`))
	require.Equal(t, []string{"a ''", `b ""`, "$$$$ c", "/**/ d"}, split(`a ''; b ""; $$$$ c; /**/ d`), "nothing in quotes")
	require.Empty(t, split(" ; -- nothing"))
}

func FuzzStatement(f *testing.F) {
	for _, text := range []string{"SELECT $1::int", "a'b''c;", `"$$`, "$x$ ; $x$", "-- ;\n;", "INSERT/*"} {
		f.Add(text)
	}
	types := pgtype.NewMap()
	f.Fuzz(func(t *testing.T, text string) {
		require.Len(t, blank(text), len(text))
		rest := text
		for _, one := range split(text) {
			i := strings.Index(rest, one)
			require.GreaterOrEqual(t, i, 0, "%q is no part of %q", one, text)
			rest = rest[i+len(one):]
			require.Len(t, split(one), 1, "%q of %q", one, text)
		}
		require.LessOrEqual(t, len(parse(types, text, nil).params), maxParameters)
	})
}
