package compare

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"runtime/pprof"
	"time"
)

// ProfileTo starts a profile of this process, which stop ends and writes. The name
// of the file says of what: it is the name of a [Kind], or of the processor time.
func ProfileTo(file string) (stop func() error, err error) {
	switch kindOf(file) {
	case Allocated:
		restore := everyAllocation()
		return func() error {
			defer restore()
			runtime.GC() // what is counted is what there was at the last one
			return writeHeap(file)
		}, nil
	case MemoryInUse:
		restore := everyAllocation()
		largest := watchHeap()
		return func() error {
			defer restore()
			profile, err := largest()
			return firstOf(err, os.WriteFile(file, profile, 0o600))
		}, nil
	}
	out, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		return nil, firstOf(err, out.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return out.Close()
	}, nil
}

// everyAllocation has every allocation from here on profiled, not one in half a
// megabyte: what has been before hardly counts beside them.
func everyAllocation() (restore func()) {
	before := runtime.MemProfileRate
	runtime.MemProfileRate = 1
	return func() { runtime.MemProfileRate = before }
}

func writeHeap(file string) error {
	var profile bytes.Buffer
	err := pprof.WriteHeapProfile(&profile)
	return firstOf(err, os.WriteFile(file, profile.Bytes(), 0o600))
}

// watchHeap looks at the heap now and then, and returns its profile as it was when
// it was largest: at the end of the work all of it may be gone.
func watchHeap() (largest func() ([]byte, error)) {
	w := &heapWatch{quit: make(chan struct{}), ended: make(chan struct{})}
	w.look()
	go w.run()
	return func() ([]byte, error) {
		close(w.quit)
		<-w.ended
		return w.profile.Bytes(), w.err
	}
}

type heapWatch struct {
	quit, ended chan struct{}
	largest     uint64
	profile     bytes.Buffer
	err         error
}

func (w *heapWatch) run() {
	defer close(w.ended)
	for {
		select {
		case <-w.quit:
			w.look()
			return
		case <-time.After(50 * time.Millisecond):
			w.look()
		}
	}
}

func (w *heapWatch) look() {
	runtime.GC()
	var m runtime.MemStats
	if runtime.ReadMemStats(&m); m.HeapAlloc <= w.largest {
		return
	}
	w.largest = m.HeapAlloc
	w.profile.Reset()
	w.err = errors.Join(w.err, pprof.WriteHeapProfile(&w.profile))
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
