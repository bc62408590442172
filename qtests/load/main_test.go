package load

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain runs the tests at full scale, whose outcome they know, also
// under -short and QTESTS_SCALE. The flag still wins.
func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "" {
		scaleSetting = "1"
	}
	goleak.VerifyTestMain(m)
}
