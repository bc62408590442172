package load

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// second is a second of a minute in which all entries of these tests are recorded.
func second(n int) time.Time { return time.Date(2015, 5, 17, 10, 5, n, 0, time.UTC) }

// offsetsOf returns the offsets of all arrivals.
func offsetsOf(t *testing.T, p traffic.Profile) (out []time.Duration) {
	t.Helper()
	require.NoError(t, p.Arrivals(rand.New(rand.NewPCG(1, 1)), func(d time.Duration) bool { out = append(out, d); return true }))
	return out
}

func jsonOf(t require.TestingT, r *result.Result) []byte {
	var b bytes.Buffer
	require.NoError(t, r.WriteJSON(&b))
	return b.Bytes()
}
