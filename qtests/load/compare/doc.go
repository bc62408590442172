// Package compare says in which figures two results of load runs differ by more than noise.
//
//	c := compare.Results(before, after)
//	if len(c.Regressions()) > 0 {
//		t.Errorf("worse than before:\n%s", c)
//	}
//
// Its functions are safe for concurrent use.
package compare
