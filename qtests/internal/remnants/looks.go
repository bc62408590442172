//go:build !race

package remnants

const (
	// remnantLooks is how many looks the tests with one body are given in any case.
	remnantLooks = 8
	// cleanLooks is after how many looks that found nothing a body is known to leave nothing.
	cleanLooks = 1
)
