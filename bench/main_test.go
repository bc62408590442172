// Package bench compares qtests with its peers; see RESULTS.md, which TestResults
// writes. It is a module of its own, so that no peer enters the module graph of a
// user of qtests.
package bench

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if job, ok := os.LookupEnv(generatorVariable); ok {
		generate(job) // this process is a load generator, not a test
		return
	}
	goleak.VerifyTestMain(m)
}
