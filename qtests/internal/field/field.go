// Package field checks the fields of a Config. Every constructor of qtests
// rejects what is negative or contradictory through it, so that all errors name
// the field and its value in the same words.
package field

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// A Checker collects what is wrong with one Config.
type Checker struct {
	config string
	errs   []error
}

// Check returns a checker for the config called name, for example "breaker: Config".
func Check(name string) *Checker { return &Checker{config: name} }

// That records an error unless ok: "<config>.<name>: <value> <problem>".
func (c *Checker) That(ok bool, name string, value any, problem string, args ...any) {
	if ok {
		return
	}
	c.errs = append(c.errs, fmt.Errorf("%s.%s: %v %s", c.config, name, value, fmt.Sprintf(problem, args...)))
}

// Duration wants d >= 0.
func (c *Checker) Duration(name string, d time.Duration) { c.That(d >= 0, name, d, "is negative") }

// Count wants n >= 0.
func (c *Checker) Count(name string, n int) { c.That(n >= 0, name, n, "is negative") }

// Share wants a number from 0 to 1.
func (c *Checker) Share(name string, p float64) {
	c.That(p >= 0 && p <= 1, name, p, "is not between 0 and 1")
}

// Finite wants a finite number >= 0.
func (c *Checker) Finite(name string, x float64) {
	c.That(x >= 0 && !math.IsInf(x, 1), name, x, "is not a finite number >= 0")
}

// Err records err, if any, as the error of the field called name.
func (c *Checker) Err(name string, err error) {
	if err != nil {
		c.errs = append(c.errs, fmt.Errorf("%s.%s: %w", c.config, name, err))
	}
}

// Result returns all errors joined, or nil.
func (c *Checker) Result() error { return errors.Join(c.errs...) }
