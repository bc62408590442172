package fleet_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/fleet"
	"github.com/go-qtests/qtests/qtests/fleet/rollout"
)

// greeter is the code under test: each process of the fleet has one of its own.
type greeter struct{ version string }

func (g *greeter) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "hello from "+g.version)
}

// A new version is rolled out while a client asks ten times a second. No request is lost.
func rollsOut(q *qtests.T) {
	f := fleet.NewT(q, fleet.Config{
		New:      func(i *fleet.Instance) http.Handler { return &greeter{i.Version()} },
		Replicas: 3,
		Life:     fleet.Life{Readiness: fleet.Probe{Path: "/ready"}, PreStop: 5 * time.Second},
	})
	stop, err := event.Schedule(q.Context(), q.Clock(), q.EventLog(),
		f.Deploy(fleet.Release{Version: "v2"}, rollout.Update{}).At(time.Minute))
	if err != nil {
		q.Fatal(err)
	}
	for range 3000 {
		resp, err := f.Client().Get("http://greeter/")
		if err != nil {
			q.Fatal(err)
		}
		_ = resp.Body.Close()
		q.Sleep(100 * time.Millisecond)
	}
	if err := stop(); err != nil {
		q.Error(err)
	}
	f.RequireDeployed(q, "v2")
	f.RequireNothingLost(q)
}

// A fleet lives in a test, which an example does not have: TestExample runs rollsOut.
func ExampleNewT() {
	_ = func(t *testing.T) { qtests.Run(t, rollsOut) }
}
