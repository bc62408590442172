package scope

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestScopePaths(t *testing.T) {
	s := &Scope{path: "/b1/c2"}
	for path, want := range map[string][2]bool{
		"":              {false, false},
		"/b1":           {false, false},
		"/b1/c2":        {true, true},
		"/b1/c2/b3":     {true, true},
		"/b1/c2/b3/c4":  {true, false},
		"/b1/c2/c3":     {true, false},
		"/b1/c20":       {false, false},
		"/b1/c20/c2":    {false, false},
		"/b9/b1/c2":     {false, false},
		"/b1/c2/c3/b4/": {true, false},
	} {
		require.Equal(t, want, [2]bool{s.Holds(path), s.AnswersFor(path)}, path)
	}
}
