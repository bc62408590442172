package load

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
)

// everyState has requests that come out in every way but one: they arrive every half
// second, and there is room for one.
func everyState() Scenario {
	return Scenario{
		Name: "s", Traffic: traffic.Rate(2).For(2750 * time.Millisecond), MaxInFlight: 1, NoGrace: true,
		Do: func(ctx context.Context, u *User) error {
			switch u.ID() {
			case 1:
				u.Tag("re;gion", `a=b\`)
				u.Tag("size", "1")
				return u.Sleep(ctx, 100*time.Millisecond)
			case 2:
				_ = u.Sleep(ctx, 700*time.Millisecond)
				return errors.New("no, and\x1b[31m\nmore")
			}
			return u.Sleep(ctx, time.Hour)
		},
	}
}

// Cells that begin as a formula are none.
func TestCSVRequestLogHasNoFormulas(t *testing.T) {
	var lines bytes.Buffer
	qtests.Run(t, func(q *qtests.T) {
		Run(q, Scenario{
			Name: "@s", Traffic: traffic.Rate(1).For(time.Second), RequestLog: result.CSVRequestLog(&lines),
			Steps: []Step{{Name: "=HYPERLINK(1)", Do: func(_ context.Context, u *User) error {
				u.Tag("+key", "v")
				return errors.New("-2+3")
			}}},
		})
	})
	_, line, _ := strings.Cut(lines.String(), "\n")
	require.Equal(t, "'@s,1,1,'=HYPERLINK(1),error,'+key=v,1000000000,1000000000,1000000000,1,'-2+3\n", line)
}

func TestRequestLogHaveEveryRequestAndItsState(t *testing.T) {
	var lines, objects bytes.Buffer
	qtests.Run(t, func(q *qtests.T) {
		s := everyState()
		s.RequestLog = result.CSVRequestLog(&lines)
		res := Run(q, s)
		require.EqualValues(q, []int64{5, 3, 2, 1, 1}, []int64{res.Scheduled, res.Started, res.Finished, res.Errors, res.Interrupted})
		s.RequestLog = result.JSONRequestLog(&objects)
		Run(q, s)
	})
	require.Equal(t, strings.Join([]string{
		`scenario,request,user,step,state,tags,intended_ns,started_ns,finished_ns,attempts,error`,
		`s,1,1,s,ok,re\;gion=a\=b\\;size=1,500000000,500000000,600000000,1,`,
		`s,0,3,,dropped,,1500000000,1500000000,1500000000,0,`,
		`s,2,2,s,error,,1000000000,1000000000,1700000000,1,"no, and\x1b[31m"`,
		`s,0,5,,dropped,,2500000000,2500000000,2500000000,0,`,
		`s,3,4,s,interrupted,,2000000000,2000000000,2750000000,1,canceled`,
	}, "\n")+"\n", lines.String())
	first, rest, _ := strings.Cut(objects.String(), "\n")
	require.Equal(t, `{"scenario":"s","request":1,"user":1,"step":"s","state":"ok","tags":"re\\;gion=a\\=b\\\\;size=1",`+
		`"intended_ns":500000000,"started_ns":500000000,"finished_ns":600000000,"attempts":1}`, first)
	require.Equal(t, 4, strings.Count(rest, "\n"))
}

func TestRequestLogOfWhatWaitedAndNeverStarted(t *testing.T) {
	var lines bytes.Buffer
	qtests.Run(t, func(q *qtests.T) {
		Run(q, Scenario{
			Name: "s", Traffic: traffic.Rate(1).For(3500 * time.Millisecond), MaxInFlight: 1, Overflow: Queue, NoGrace: true,
			Do: serve(time.Hour), RequestLog: result.CSVRequestLog(&lines),
		})
	})
	_, rest, _ := strings.Cut(lines.String(), "\n")
	require.Equal(t, "s,0,2,,dropped,,2000000000,3500000000,3500000000,0,\n"+
		"s,0,3,,dropped,,3000000000,3500000000,3500000000,0,\n"+
		"s,1,1,s,interrupted,,1000000000,1000000000,3500000000,1,canceled\n", rest)
}

// TestRequestLogEndWithTheRun has requests that ignore their context: they are
// written when they are given up, and not when they end, when the writer may be closed.
func TestRequestLogEndWithTheRun(t *testing.T) {
	var lines bytes.Buffer
	in(t, func(q *qtests.T, tb tb.TB) {
		log := result.CSVRequestLog(&lines)
		Run(tb, Scenario{
			Name: "s", Clock: q.Clock(), Traffic: traffic.Rate(1).For(2 * time.Second), Grace: time.Second, RequestLog: log,
			Do: func(_ context.Context, u *User) error {
				u.Tag("a", "b")
				q.Sleep(time.Hour)
				u.Tag("a", "c")
				return nil
			},
		})
		_, rest, _ := strings.Cut(lines.String(), "\n")
		require.Equal(t, "s,1,1,s,abandoned,,1000000000,1000000000,13000000000,0,\n"+
			"s,2,2,s,abandoned,,2000000000,2000000000,13000000000,0,\n", rest)
		written := lines.Len()
		q.Sleep(2 * time.Hour)
		require.NoError(t, log.Flush())
		require.Equal(t, written, lines.Len())
	})
}

// A writerFunc is a user's writer.
type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// TestRequestLogAreWrittenUnderNoLock has a writer that uses the run, and far more
// requests than are buffered, and all but one are dropped.
func TestRequestLogAreWrittenUnderNoLock(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		var first atomic.Pointer[User]
		var writes, meanwhile atomic.Int64 // what writes and what reads have no lock in common
		res := Run(q, Scenario{
			Traffic: traffic.Rate(1000).For(2 * time.Second), MaxInFlight: 1,
			RequestLog: result.JSONRequestLog(writerFunc(func(p []byte) (int, error) {
				writes.Add(1)
				first.Load().Check("written", true)
				return len(p), nil
			})),
			Do: func(ctx context.Context, u *User) error {
				first.Store(u)
				err := u.Sleep(ctx, 10*time.Second)
				meanwhile.Store(writes.Load())
				return err
			},
		})
		require.EqualValues(q, 1999, res.Dropped)
		require.GreaterOrEqual(q, meanwhile.Load(), int64(3), "not kept until something ends")
		require.EqualValues(q, meanwhile.Load(), res.Checks[0].Total)
		require.Greater(q, writes.Load(), meanwhile.Load(), "the rest at the end of the run")

		writes.Store(0)
		Run(q, Scenario{
			Name: "ends", Traffic: traffic.Rate(1000).For(2 * time.Second),
			RequestLog: result.JSONRequestLog(writerFunc(func(p []byte) (int, error) { writes.Add(1); return len(p), nil })),
			Do: func(context.Context, *User) error {
				meanwhile.Store(writes.Load())
				return nil
			},
		})
		require.GreaterOrEqual(q, meanwhile.Load(), int64(3), "not kept until the end of the run")
	})
}

func TestErrorsOfTheWriterOfTheLogAreReported(t *testing.T) {
	for want, write := range map[string]writerFunc{
		"load: RequestLog: disk full":                    func([]byte) (int, error) { return 0, errors.New("disk full") },
		"load: RequestLog: the writer panicked: no disk": func([]byte) (int, error) { panic("no disk") },
	} {
		var res, halted *result.Result
		rec := in(t, func(q *qtests.T, tb tb.TB) {
			s := Scenario{Clock: q.Clock(), Traffic: traffic.Rate(1).For(2 * time.Second), Do: serve(0), RequestLog: result.CSVRequestLog(write)}
			res = Run(tb, s)
			s.Traffic = traffic.Users(1).For(time.Second) // never lets time pass
			halted, _ = Do(context.Background(), s)
		})
		require.Equal(t, want, res.LogLost)
		require.Empty(t, res.Halted, "the run went to its end")
		require.Contains(t, rec.Errors(), "load: the request log was not written to its end: "+want)
		require.Contains(t, res.String(), "load: FAIL\n")
		require.Contains(t, res.String(), "\n  log         not written to its end: "+want+"\n")
		require.Contains(t, htmlOf(t, res), "The request log was not written to its end: "+want)
		require.Contains(t, halted.Halted, "without any time passing")
		require.Equal(t, want, halted.LogLost)
	}
	zero := new(result.RequestLog)
	zero.Put(result.LoggedRequest{})
	require.ErrorContains(t, zero.Flush(), "load: RequestLog: is not made by CSVRequestLog or JSONRequestLog")
}

func TestRequestLogOfOneInstantAreInOrder(t *testing.T) {
	var lines bytes.Buffer
	s := result.CSVRequestLog(&lines)
	for _, x := range []result.LoggedRequest{{Scenario: "b", Request: 1}, {Scenario: "a", Request: 2}, {Scenario: "a", User: 8}, {Scenario: "a", User: 7}, {Scenario: "a", Request: 1}} {
		s.Put(x)
		s.Pump() // what would be later in the order may still come
	}
	require.NoError(t, s.Flush())
	var got []string
	for line := range strings.Lines(lines.String()) {
		got = append(got, line[:5])
	}
	require.Equal(t, []string{"scena", "a,0,7", "a,0,8", "a,1,0", "a,2,0", "b,1,0"}, got)
}
