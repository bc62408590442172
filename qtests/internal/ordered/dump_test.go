package ordered

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// dumped is a plan as the runtime writes it when the process dies.
func dumped(p *Plan) []byte {
	var b bytes.Buffer
	b.Write(unsafe.Slice((*byte)(unsafe.Pointer(&p.head)), dumpHead))
	for _, part := range []any{p.chosen[:min(p.head.chosenN, p.head.room)], p.log[:min(p.head.logN, p.head.logRoom)]} {
		if err := binary.Write(&b, binary.NativeEndian, part); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

// begins is the instant at which the time of a bubble begins.
var begins = uint64(time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC).UnixNano())

func TestReadDump(t *testing.T) {
	p := NewPlan(3)
	p.Reset(PCT, 7, []uint64{3})
	p.head.points, p.head.steps, p.head.goroutines, p.head.applied = 11, 12, 13, 14
	p.head.chosenN, p.chosen[0], p.chosen[1] = 2, Choice{1, 2, ChooseTurn, 3}, Choice{4, 5, ChooseSelect, 0}
	p.head.logN = 4 // one more than there is room for
	for i := range p.log {
		p.log[i] = rawStep{Kind: uint32(StepWaits), G: uint64(i), Now: begins + uint64(i)*uint64(time.Second)}
	}
	read, err := ReadDump(bytes.NewReader(dumped(p)))
	require.NoError(t, err)
	require.Equal(t, []int{11, 12, 13, 14}, []int{read.Points(), read.Steps(), read.Goroutines(), read.Applied()})
	choices, whole := read.Choices()
	require.Equal(t, []Choice{{1, 2, ChooseTurn, 3}, {4, 5, ChooseSelect, 0}}, choices)
	require.True(t, whole)
	steps, whole := read.Log()
	require.Len(t, steps, 3)
	require.False(t, whole)
	require.Equal(t, Step{Kind: StepWaits, Goroutine: 2, At: 2 * time.Second}, steps[2])

	p = NewPlan(0)
	p.Reset(FIFO, 1, nil)
	read, err = ReadDump(bytes.NewReader(dumped(p)))
	require.NoError(t, err)
	steps, whole = read.Log()
	require.Empty(t, steps)
	require.True(t, whole)
}

// TestReadDumpRefuses what is cut off anywhere, and what says that it has more than any plan.
func TestReadDumpRefuses(t *testing.T) {
	p := NewPlan(2)
	p.Reset(FIFO, 1, nil)
	p.head.chosenN, p.head.logN = 2, 2
	whole := dumped(p)
	for name, c := range map[string]struct {
		n    int
		want string
	}{
		"nothing":          {0, "the plan of"},
		"half of the head": {int(dumpHead / 2), "the plan of"},
		"the head":         {int(dumpHead), "the choices of"},
		"half of a choice": {int(dumpHead) + 48, "the choices of"},
		"the choices":      {int(dumpHead) + 64, "the steps of"},
		"all but one byte": {len(whole) - 1, "the steps of"},
		"all of it":        {len(whole), ""},
	} {
		_, err := ReadDump(bytes.NewReader(whole[:c.n]))
		if c.want == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, "ordered: "+c.want+" a process that has died: ", name)
		}
	}
	p.head.chosenN, p.head.logN = 0, 0
	for _, c := range []struct {
		room, logRoom uint64
		ok            bool
	}{{1 << 20, 1 << 24, true}, {1<<20 + 1, 1 << 24, false}, {1 << 20, 1<<24 + 1, false}} {
		p.head.room, p.head.logRoom = c.room, c.logRoom
		_, err := ReadDump(bytes.NewReader(dumped(p)))
		require.Equal(t, c.ok, err == nil, c)
	}
}

// TestReplayTable is at most half full, so that the runtime finds the end of a row of choices.
func TestReplayTable(t *testing.T) {
	p := NewPlan(0)
	p.Reset(Replay, 1, nil)
	for n, size := range map[int]int{0: 16, 8: 16, 9: 32, 100: 256} {
		choices := make([]Choice, n)
		for i := range choices {
			choices[i] = Choice{Goroutine: uint64(i + 1), N: 1}
		}
		p.Replay(choices)
		require.Len(t, p.table, size)
		kept := 0
		for _, c := range p.table {
			if c.Goroutine != 0 {
				kept++
			}
		}
		require.Equal(t, n, kept)
	}
}

// TestStep: of a goroutine that is started the function is named, and of any other step the object is kept.
func TestStep(t *testing.T) {
	f := reflect.ValueOf(TestStep).Pointer()
	pc, _, line, _ := runtime.Caller(0)
	raw := rawStep{Kind: uint32(StepStarts), Addr: uint64(f), Other: 5, Now: begins}
	raw.PCs[0] = uint64(pc)
	s := raw.step()
	require.True(t, strings.HasSuffix(s.Starts, ".TestStep"), s.Starts)
	require.Zero(t, s.Object)
	require.Len(t, s.Stack, 1)
	require.Equal(t, line, s.Stack[0].Line)
	raw = rawStep{Kind: uint32(StepPoint), Addr: uint64(f), Now: begins + uint64(time.Minute)}
	require.Equal(t, Step{Kind: StepPoint, Object: uint64(f), At: time.Minute}, raw.step())
	raw = rawStep{Kind: uint32(StepStarts), Addr: 1, Now: begins}
	require.Empty(t, raw.step().Starts, "no function begins there")
}

// TestCallers finds the stack of an event where the runtime puts it: at the place of its key, or behind it, round the end.
func TestCallers(t *testing.T) {
	e := NewEvents(4)
	full := stack{key: 5<<8 | 1}
	for i := range full.pcs {
		full.pcs[i] = uintptr(i + 1)
	}
	e.stacks[5] = full
	e.stacks[6] = stack{key: 5<<8 | 2, pcs: [depth]uintptr{7, 8}}
	last := uint64(len(e.stacks) - 1)
	e.stacks[0] = stack{key: last<<8 | 1, pcs: [depth]uintptr{9}}
	e.events = []event{{stack: 5<<8 | 1}, {stack: 5<<8 | 2}, {stack: last<<8 | 1}, {stack: 9 << 8}}
	require.Equal(t, full.pcs[:], e.callers(0))
	require.Equal(t, []uintptr{7, 8}, e.callers(1))
	require.Equal(t, []uintptr{9}, e.callers(2))
	require.Nil(t, e.callers(3))
}

func TestUserLine(t *testing.T) {
	var pcs [10]uintptr
	n := runtime.Callers(1, pcs[:])
	_, file, line, _ := runtime.Caller(0)
	require.Equal(t, fmt.Sprintf("%s:%d", file, line-1), UserLine(pcs[:n]))
	require.Empty(t, UserLine(pcs[1:n]), "package testing and the runtime")
	require.Empty(t, UserLine(nil))
}

func TestDisturbances(t *testing.T) {
	for d, want := range map[Disturbance]string{
		FromOutside: "woken from outside the bubble", Object: "a channel used by a finalizer or a cleanup",
		-1: "Disturbance(-1)", disturbances: fmt.Sprintf("Disturbance(%d)", disturbances),
	} {
		require.Equal(t, want, d.String())
	}
}

// TestAvailable wherever the runtime has its hooks: every test binary is one that go test built.
func TestAvailable(t *testing.T) {
	require.Equal(t, hooks != nil, Available())
	require.Equal(t, map[bool]string{true: "go tool qtests test", false: "go test"}[hooks != nil], TestCommand())
}
