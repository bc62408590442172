package qtests

import (
	"bytes"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// stackDump returns the runtime's dump of all goroutines. A dump that does not
// fit costs as much as one that does, so the first buffer is sized to do.
func stackDump() []byte {
	for size := 64<<10 + 1<<10*runtime.NumGoroutine(); ; size *= 2 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, true); n < len(buf) {
			return buf[:n]
		}
	}
}

// goroutinesWhere parses those entries of a dump whose header keep accepts. To
// parse them all would cost several times what the dump itself does.
func goroutinesWhere(dump []byte, keep func(header []byte) bool) []goroutine {
	var all []goroutine
	for more := true; more; {
		var entry []byte
		entry, dump, more = bytes.Cut(dump, []byte("\n\n"))
		entry = bytes.TrimSpace(entry)
		header, stack, _ := bytes.Cut(entry, []byte("\n"))
		if !keep(header) {
			continue
		}
		// Labels may hold any text, brackets included, so the parser must not
		// see them. They are the last thing in the header.
		if before, _, ok := bytes.Cut(header, []byte(" labels:{")); ok {
			entry = bytes.Join([][]byte{before, []byte("]:\n"), stack}, nil)
		}
		all = append(all, parseGoroutines(entry)...)
	}
	return all
}

// bubbleGoroutines returns the goroutines of one bubble.
func bubbleGoroutines(bubble uint64) []goroutine {
	field := []byte(", synctest bubble " + strconv.FormatUint(bubble, 10))
	return goroutinesWhere(stackDump(), func(header []byte) bool {
		// What follows the field tells bubble 1 from bubble 12: "]", "," or labels.
		_, after, ok := bytes.Cut(header, field)
		return ok && len(after) > 0 && (after[0] < '0' || after[0] > '9')
	})
}

// tracebackLabels is held while headers show labels.
var tracebackLabels sync.Mutex

// labelledDump is stackDump with the profiler labels in the headers. The runtime
// prints them only on a setting that belongs to the whole process, and that is
// why this is kept for tests that have failed already.
func labelledDump() []byte {
	tracebackLabels.Lock()
	defer tracebackLabels.Unlock()
	const name = "GODEBUG"
	before, was := os.LookupEnv(name)
	with := strings.TrimPrefix(before+",tracebacklabels=1", ",")
	if os.Setenv(name, with) != nil {
		return nil
	}
	defer func() {
		switch now := os.Getenv(name); {
		case now != with: // somebody else has set it meanwhile
		case was:
			_ = os.Setenv(name, before)
		default:
			_ = os.Unsetenv(name)
		}
	}()
	return stackDump()
}

// creator returns the function that started g, or "".
func (g goroutine) creator() string {
	_, created, _ := strings.Cut(g.stack, "created by ")
	function, _, _ := strings.Cut(created, "\n")
	function, _, _ = strings.Cut(function, " in goroutine ")
	return function
}

// root returns the outermost function of g.
func (g goroutine) root() string {
	frames, _, _ := strings.Cut(g.stack, "created by ")
	var root string
	for line := range strings.Lines(frames) {
		if line[0] != '\t' && line[0] != '.' { // "...additional frames elided..."
			root = strings.TrimRight(line, "\n")
		}
	}
	if open := strings.LastIndexByte(root, '('); open > 0 {
		root = root[:open]
	}
	return root
}

// origin names the place that started g, for people: the line of the go
// statement and its function. Where that is in the standard library (a
// sync.WaitGroup's Go, a timer's function) it says nothing; then it is the
// outermost line of g outside of it and of the ground floor's own machinery.
func (g goroutine) origin() string {
	line, creator := g.startedAt(), g.creator()
	library := standardLibrary != "" && strings.HasPrefix(line, standardLibrary)
	if !library {
		return strings.TrimSpace(line + "  " + creator)
	}
	frames, _, _ := strings.Cut(g.stack, "created by ")
	lines := strings.Split(frames, "\n")
	for i := len(lines) - 1; i > 0; i-- {
		position, function := lines[i], lines[i-1]
		if !strings.HasPrefix(position, "\t") || isMachinery(function) {
			continue
		}
		if standardLibrary == "" || !strings.HasPrefix(position, "\t"+standardLibrary) {
			if open := strings.LastIndexByte(function, '('); open > 0 {
				function = function[:open]
			}
			return trimPosition(position) + "  " + function + ", started by " + creator
		}
	}
	return line + "  " + creator
}

// topPlaces is how many places a failure of a bound names.
const topPlaces = 5

// A place is where goroutines were started or memory was allocated.
type place struct {
	name   string // for people: function and line
	amount int64
}

// topOf returns the largest places in order, at most topPlaces, and how many
// there are besides. Equal ones are ordered by name, so that a message is the
// same twice.
func topOf(amounts map[string]int64) (top []place, others int) {
	all := make([]place, 0, len(amounts))
	for name, amount := range amounts {
		if amount > 0 {
			all = append(all, place{name, amount})
		}
	}
	sort.Slice(all, func(i, j int) bool {
		if all[i].amount != all[j].amount {
			return all[i].amount > all[j].amount
		}
		return all[i].name < all[j].name
	})
	n := min(len(all), topPlaces)
	return all[:n], len(all) - n
}
