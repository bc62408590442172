package ordered

import (
	"fmt"
	"runtime"
	"strings"
)

func Stack(e *Events, i int) string {
	var b strings.Builder
	frames := runtime.CallersFrames(e.callers(i))
	for {
		f, more := frames.Next()
		fmt.Fprintf(&b, "%s:%d ", f.Function, f.Line)
		if !more {
			return b.String()
		}
	}
}
