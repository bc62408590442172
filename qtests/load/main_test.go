package load

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain runs the tests at full scale, of which they know what comes out, also
// under -short and QTESTS_SCALE. The flag still wins.
func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "" {
		scaleSetting = "1"
	}
	goleak.VerifyTestMain(m)
}
