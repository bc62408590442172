package kernels

import (
	"flag"
	"os"
	"testing"

	"github.com/go-qtests/qtests/qtests"
)

// searched skips a test that only a search runs.
func searched(t *testing.T) {
	if replay := flag.Lookup("qtests.replay"); os.Getenv("QTESTS_FIND") == "" && replay.Value.String() == "" {
		t.Skip("a search runs it")
	}
}

func TestBug(t *testing.T) {
	searched(t)
	for _, k := range All() {
		t.Run(k.Name, func(t *testing.T) { qtests.Run(t, k.Bug) })
	}
}

func TestFixed(t *testing.T) {
	searched(t)
	for _, k := range All() {
		t.Run(k.Name, func(t *testing.T) { qtests.Run(t, k.Fixed) })
	}
}
