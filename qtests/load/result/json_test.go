package result

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzReadResult(f *testing.F) {
	f.Add([]byte(`{"version":1,"response":{"unit":"us","sum":5,"min":5,"buckets":[[5,1]]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Read(bytes.NewReader(text))
		if err != nil {
			return
		}
		_ = r.String()
		var first, second bytes.Buffer
		require.NoError(t, r.WriteJSON(&first))
		again, err := Read(bytes.NewReader(first.Bytes()))
		require.NoError(t, err)
		require.NoError(t, again.WriteJSON(&second))
		require.Equal(t, first.String(), second.String())
	})
}

func TestReadResultErrors(t *testing.T) {
	for text, want := range map[string]string{"": "unexpected end", "{}": "has no version: it is not what Result.WriteJSON writes",
		`{"version":2}`: "is of version 2, and this qtests reads version 1: run the scenario again", "[]": "cannot unmarshal"} {
		_, err := Read(strings.NewReader(text))
		require.ErrorContains(t, err, want)
	}
}
