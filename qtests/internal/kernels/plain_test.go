package kernels

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/go-qtests/qtests/qtests"
)

// TestPlain runs each bug as often as QTESTS_PLAIN says, from the run QTESTS_PLAIN_FROM on, on
// whatever runtime this is, and adds to the file QTESTS_PLAIN_RESULTS a line for each run that
// begins and one for its end. It fails with the first run that fails, as what is left of that one may
// disturb the next.
func TestPlain(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("QTESTS_PLAIN"))
	if n == 0 {
		t.Skip("a table needs it")
	}
	from, _ := strconv.Atoi(os.Getenv("QTESTS_PLAIN_FROM"))
	out, err := os.OpenFile(os.Getenv("QTESTS_PLAIN_RESULTS"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close() //nolint:errcheck // each line was checked
	tell := func(what string, i int) {
		if _, err := fmt.Fprintln(out, what, i); err != nil {
			t.Error(err)
		}
	}
	for _, k := range All() {
		t.Run(k.Name, func(t *testing.T) {
			for i := from; i < n; i++ {
				tell("begins", i)
				ok := t.Run("run", func(t *testing.T) { qtests.Run(t, k.Bug) })
				if !ok {
					tell("fails", i)
					return
				}
				tell("passes", i)
			}
		})
	}
}
