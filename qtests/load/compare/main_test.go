package compare

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

// TestMain runs the tests at full scale, whose outcome they know, also under -short and
// QTESTS_SCALE. The flag still wins.
func TestMain(m *testing.M) {
	if err := flag.Set("qtests.scale", "1"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}
