package merge_test

import (
	"os"
	"strconv"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stress is QTESTS_STRESS, how many times as much to do.
func stress() int {
	n, _ := strconv.Atoi(os.Getenv("QTESTS_STRESS")) // 0 where it is not set
	return n
}
