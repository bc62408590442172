package realworld

import (
	"strings"
	"testing"
	"time"
)

func TestParting(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"1\n2\n3", "1\n2\n4", "line 2 of both: 2\nthe first run goes on: 3\nthis one goes on:      4"},
		{"1", "2", "line 0 of both: (no line)\nthe first run goes on: 1\nthis one goes on:      2"},
		{"1\n2", "1", "line 1 of both: 1\nthe first run goes on: 2\nthis one goes on:      (no line)"},
	} {
		if got := parting(c.a, c.b); got != c.want {
			t.Errorf("%q and %q:\n%s\nwant\n%s", c.a, c.b, got, c.want)
		}
	}
}

func TestTable(t *testing.T) {
	const before = `text
| test | modules | stock | ordered | lines of a run |
|---|---|---|---|---|
| ` + "`TestA`" + ` | example.com/a v1.0.0, example.com/b | 3 | 4 | 5 |
| ` + "`TestB`" + ` | none | | | |
| test | requests | stock | a request | ordered | a request |
|---|---|---|---|---|---|
| ` + "`TestA`" + ` | | | | | |
| ` + "`TestB`" + ` | 7 | | | 1.0 s | 2 µs |
`
	versions := map[string]string{"example.com/a": "v1.2.0", "example.com/b": "v0.1.0"}
	got, err := fill(before, versions, []*result{
		{test: "TestA", ordered: true, outcomes: "1", lines: 9},
		{test: "TestB", outcomes: "stands still", lines: 7},
		{test: "TestA", hour: true, ordered: true, requests: 180_000, took: 9 * time.Second},
		{test: "TestB", hour: true, outcomes: "stands still"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer(
		"a v1.0.0, example.com/b | 3 | 4 | 5 |", "a v1.2.0, example.com/b v0.1.0 | 3 | 1 | 9 |",
		"| none | | | |", "| none | stands still | | |",
		"` | | | | | |", "` | 180000 | | | 9.0 s | 50.0 µs |",
		"| 7 | | | 1.0 s | 2 µs |", "| 7 | stands still |  | 1.0 s | 2 µs |",
	).Replace(before)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if _, err := fill(before, nil, []*result{{test: "TestC"}}); err == nil {
		t.Error("no error about a test without a line")
	}
}
