// Package bench compares qtests with its peers; see RESULTS.md, which TestResults
// writes. It is a module of its own, so that a peer which is needed for that alone
// does not enter the module graph of a user of qtests.
package bench

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
