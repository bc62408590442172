package result

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Requests of one instant are put in order when it is over; Pump writes those before it, and Flush all.
func TestRequestLogOrdersAnInstant(t *testing.T) {
	var b bytes.Buffer
	log := CSVRequestLog(&b)
	put := func(at time.Duration, requests ...int64) {
		for _, n := range requests {
			log.Put(LoggedRequest{Scenario: "s", Request: n, User: n, Step: "=a", State: StateOK, Finished: at})
		}
	}
	numbers := func() (out string) {
		for _, line := range strings.Split(strings.TrimSpace(b.String()), "\n")[1:] {
			out += strings.Split(line, ",")[1]
		}
		return out
	}
	put(1, 3, 1, 2)
	log.Pump()
	require.NoError(t, log.out.w.Flush())
	require.Empty(t, b.String(), "the instant goes on")
	put(2, 5, 4)
	log.Pump()
	require.NoError(t, log.out.w.Flush())
	require.Equal(t, "123", numbers())
	put(3, 6)
	require.NoError(t, log.Flush())
	require.Equal(t, "123456", numbers())
	require.Positive(t, cap(log.out.spare), "a small buffer is used again")
	require.Equal(t, "s,1,1,'=a,ok,,0,0,1,0,", strings.Split(b.String(), "\n")[1])
	(*RequestLog)(nil).Pump()
}

// However many there are at one instant, no more than a bound is kept.
func TestRequestLogIsBounded(t *testing.T) {
	var b bytes.Buffer
	log := JSONRequestLog(&b)
	for n := range int64(2*maxInstant + 1) {
		log.Put(LoggedRequest{Request: n})
		require.LessOrEqual(t, len(log.mu.instant), maxInstant)
	}
	require.Len(t, log.mu.ready, 2*maxInstant)
	log.Pump()
	for range 2*maxInstant + 1 {
		log.Put(LoggedRequest{})
	}
	require.NoError(t, log.Flush())
	require.Nil(t, log.out.spare, "a large buffer is not kept")
	require.Equal(t, 4*maxInstant+2, strings.Count(b.String(), "\n"))
}

type failing struct{ panics bool }

func (f failing) Write([]byte) (int, error) {
	if f.panics {
		panic("full")
	}
	return 0, errors.New("disk is full")
}

func TestRequestLogThatCannotWrite(t *testing.T) {
	for want, log := range map[string]*RequestLog{
		"disk is full":              JSONRequestLog(failing{}),
		"the writer panicked: full": CSVRequestLog(failing{panics: true}),
		"is not made by":            {},
	} {
		log.Put(LoggedRequest{})
		for range 2 {
			require.ErrorContains(t, log.Flush(), want)
		}
	}
	require.NoError(t, JSONRequestLog(&bytes.Buffer{}).Flush())
	require.NoError(t, (&RequestLog{}).Flush(), "nothing was put")
}
