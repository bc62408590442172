package degrade

import (
	"context"
	"slices"

	"github.com/go-qtests/qtests/qtests/internal/guard"
)

// A Grade is how good an answer is.
type Grade int

// The grades.
const (
	Full Grade = iota
	Degraded
	Refused
	Failed
)

func (g Grade) String() string { return [...]string{"full", "degraded", "refused", "failed"}[g] }

// marks are the names that were marked in one request.
type marks struct{ names guard.Value[[]string] }

type marksKey struct{}

// maxMarks bounds the names of one request.
const maxMarks = 20

// Mark says that the request of ctx is degraded, and in what. Outside a [Meter.Handler] it does nothing. It
// is safe for concurrent use.
func Mark(ctx context.Context, name string) {
	m, ok := ctx.Value(marksKey{}).(*marks)
	if !ok {
		return
	}
	m.names.Do(func(names *[]string) {
		if len(*names) < maxMarks && !slices.Contains(*names, name) {
			*names = append(*names, name)
		}
	})
}

// Marks returns what was marked in the request of ctx so far.
func Marks(ctx context.Context) (all []string) {
	if m, ok := ctx.Value(marksKey{}).(*marks); ok {
		m.names.Do(func(names *[]string) { all = slices.Clone(*names) })
	}
	return all
}

// Fallback returns what best returns, or if that fails what second makes of the error, and marks the request with name. It
// fails only if second does. If ctx has ended, second is not called: the error is the one of best.
func Fallback[V any](ctx context.Context, name string, best func(context.Context) (V, error), second func(context.Context, error) (V, error)) (V, Grade, error) {
	v, err := best(ctx)
	if err == nil {
		return v, Full, nil
	}
	if ctx.Err() != nil {
		return v, Failed, err
	}
	v, err = second(ctx, err)
	if err != nil {
		return v, Failed, err
	}
	Mark(ctx, name)
	return v, Degraded, nil
}
