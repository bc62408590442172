// Package sites says where memory was allocated, from the runtime's profile of the heap, and
// which places are the largest.
package sites

import (
	"cmp"
	"flag"
	"fmt"
	"iter"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
)

// A HeapProfile is the runtime's record of what was allocated where, as of the
// last collection. Its numbers are samples.
type HeapProfile map[[32]uintptr]runtime.MemProfileRecord

// Read returns the profile as it is. Two collections make it current.
func Read() HeapProfile {
	all := records()
	p := make(HeapProfile, len(all))
	for _, r := range all {
		p.add(r)
	}
	return p
}

func records() []runtime.MemProfileRecord {
	n, _ := runtime.MemProfile(nil, true)
	for {
		all := make([]runtime.MemProfileRecord, n+64) // some more may come
		var ok bool
		if n, ok = runtime.MemProfile(all, true); ok {
			return all[:n]
		}
	}
}

// add adds a record to those of its stack: there is one for each size of object.
func (p HeapProfile) add(r runtime.MemProfileRecord) {
	sum := p[r.Stack0]
	sum.AllocBytes += r.AllocBytes
	sum.FreeBytes += r.FreeBytes
	sum.AllocObjects += r.AllocObjects
	sum.FreeObjects += r.FreeObjects
	sum.Stack0 = r.Stack0
	p[r.Stack0] = sum
}

// A profileRate is how the heap profile samples while an assertion measures.
type profileRate struct{ before, Now int }

// ProfileEvery makes the heap profile take a sample about every so many bytes,
// until restore is called, if it takes fewer. A profile that the user asked for
// on the command line is left alone: its numbers would be wrong.
func ProfileEvery(bytes int64) profileRate {
	r := profileRate{runtime.MemProfileRate, runtime.MemProfileRate}
	if asked := flag.Lookup("test.memprofile"); asked != nil && asked.Value.String() != "" {
		return r
	}
	if bytes < int64(r.before) || r.before == 0 {
		r.Now = int(bytes)
		runtime.MemProfileRate = r.Now
	}
	return r
}

func (r profileRate) Restore() {
	if runtime.MemProfileRate == r.Now {
		runtime.MemProfileRate = r.before
	}
}

// scale estimates how many objects of the size, in bytes, there were if n of them were
// sampled: an object of that size is taken with probability 1-exp(-size/rate).
func (r profileRate) scale(n int64, size float64) int64 {
	if r.Now <= 1 || size <= 0 {
		return n
	}
	return int64(math.Round(float64(n) / -math.Expm1(-size/float64(r.Now))))
}

// KeptSince returns the bytes that were allocated after before and are still
// held, by allocation site.
func (p HeapProfile) KeptSince(before HeapProfile, r profileRate) map[string]int64 {
	return p.bySite(before, func(now, was runtime.MemProfileRecord) int64 {
		bytes := now.InUseBytes() - was.InUseBytes()
		objects := now.InUseObjects() - was.InUseObjects()
		if bytes <= 0 || objects <= 0 {
			return 0
		}
		return r.scale(bytes, float64(bytes)/float64(objects))
	})
}

// AllocatedSince returns the objects that were allocated after before, by
// allocation site.
func (p HeapProfile) AllocatedSince(before HeapProfile, r profileRate) map[string]int64 {
	return p.bySite(before, func(now, was runtime.MemProfileRecord) int64 {
		bytes := now.AllocBytes - was.AllocBytes
		objects := now.AllocObjects - was.AllocObjects
		if objects <= 0 {
			return 0
		}
		return r.scale(objects, float64(bytes)/float64(objects))
	})
}

// bySite adds up by allocation site. differ says how much a stack has now that it had not before.
func (p HeapProfile) bySite(before HeapProfile, differ func(now, was runtime.MemProfileRecord) int64) map[string]int64 {
	sites := map[string]int64{}
	for stack, now := range p {
		if n := differ(now, before[stack]); n > 0 {
			if site := siteOf(now); site != "" {
				sites[site] += n
			}
		}
	}
	return sites
}

// siteOf names the place of an allocation: the innermost line outside of the runtime. Where
// that line is in the standard library, it is the line that called the library, and the
// library's function. It is "" for an allocation that reading the profile makes.
func siteOf(r runtime.MemProfileRecord) string {
	stack := r.Stack()
	if forItself(stack) {
		return RuntimeSite
	}
	within := "" // the innermost function of the standard library
	for f := range framesOf(stack) {
		switch {
		case f.Function == "" || strings.HasPrefix(f.Function, "runtime."):
		case slices.Contains(reading, f.Function):
			return ""
		case !stacks.InStandardLibrary(f.Function, f.File):
			return lineOf(f, within)
		default:
			within = cmp.Or(within, f.Function)
		}
	}
	return cmp.Or(within, RuntimeSite)
}

func lineOf(f runtime.Frame, within string) string {
	line := fmt.Sprintf("%s:%d  %s", f.File, f.Line, f.Function)
	if within != "" {
		line += ", in " + within
	}
	return line
}

// framesOf are the calls of a stack, from the innermost on.
func framesOf(stack []uintptr) iter.Seq[runtime.Frame] {
	return func(yield func(runtime.Frame) bool) {
		frames := runtime.CallersFrames(stack)
		for f, more := frames.Next(); yield(f) && more; f, more = frames.Next() {
		}
	}
}

// allocator begins the names of the functions of the runtime that allocate.
const allocator = "runtime.mallocgc"

// forItself reports whether the runtime has allocated for itself while it served an
// allocation of other code: such an allocation may have to help the collector, or to start it,
// and the runtime keeps what it needs for this. The stack then has two allocations.
func forItself(stack []uintptr) bool {
	between := false // a function behind the first allocation
	for f := range framesOf(stack) {
		switch allocates := strings.HasPrefix(f.Function, allocator); {
		case allocates && between:
			return true
		case !allocates && !strings.HasPrefix(f.Function, "runtime."):
			return false
		case !allocates:
			between = true
		}
	}
	return false
}

// reading are the functions in which reading the profile allocates.
var reading = []string{nameOf(Read), nameOf(records), nameOf(HeapProfile.add)}

func nameOf(f any) string { return runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name() }

// RuntimeSite is the place of memory that the runtime has allocated by itself.
const RuntimeSite = "the runtime"

// Describe lists the largest sites, with amounts as format prints them.
func Describe(sites map[string]int64, format func(int64) string) string {
	top, others := TopOf(sites)
	if len(top) == 0 {
		return "          (the heap profile has no sample of it)"
	}
	var b strings.Builder
	for _, p := range top {
		fmt.Fprintf(&b, "%10s  %s\n", format(p.Amount), p.Name)
	}
	if others > 0 {
		fmt.Fprintf(&b, "            … and %d more places\n", others)
	}
	return strings.TrimRight(b.String(), "\n")
}

// FormatBytes prints a number of bytes for people.
func FormatBytes(n int64) string {
	switch size := float64(n); {
	case math.Abs(size) >= 10<<30:
		return fmt.Sprintf("%.1f GiB", size/(1<<30))
	case math.Abs(size) >= 10<<20:
		return fmt.Sprintf("%.1f MiB", size/(1<<20))
	case math.Abs(size) >= 10<<10:
		return fmt.Sprintf("%.1f KiB", size/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}
