package route

import "fmt"

// Defaults of a [Budget].
const (
	DefaultBudgetShare = 0.2
	DefaultBudgetMin   = 3
)

// A Budget bounds how many retries may be under way at once. The zero Budget has Envoy's defaults. It
// is not safe for concurrent use.
type Budget struct {
	// Share of the active requests may be retries. 0 to 1; 0 is DefaultBudgetShare.
	Share float64
	// Min retries are allowed at any time. 0 is DefaultBudgetMin; below 0 is none.
	Min int

	active, retries int
	refused         uint64
}

// Check says what is wrong with the budget.
func (b *Budget) Check() error {
	if !(b.Share >= 0 && b.Share <= 1) {
		return fmt.Errorf("route: Budget.Share: %v is not between 0 and 1", b.Share)
	}
	return nil
}

// Begin and End say that a request, which may have retries, is under way.
func (b *Budget) Begin() { b.active++ }

// End ends what Begin began.
func (b *Budget) End() { b.active-- }

// Take reports whether a retry may start. After true, Give ends it.
func (b *Budget) Take() bool {
	least := max(0, or(b.Min, DefaultBudgetMin))
	if b.retries >= max(least, int(or(b.Share, DefaultBudgetShare)*float64(b.active))) {
		b.refused++
		return false
	}
	b.retries++
	return true
}

// Give ends a retry that Take allowed.
func (b *Budget) Give() { b.retries-- }

// Refused returns how often Take said no.
func (b *Budget) Refused() uint64 { return b.refused }
