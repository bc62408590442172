package k6

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/threshold"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	browse = Request{Name: "browse", URL: "https://shop.example.com/items", Tags: map[string]string{"kind": "read"}, Check: "has items"}
	pay    = Request{Name: "pay", Method: "POST", URL: "https://shop.example.com/pay", Header: map[string]string{"Content-Type": "application/json"}, Body: `{"a":"</script>\u2028"}`, Status: 201}
)

func steps() []load.Step {
	return []load.Step{browse.Step(http.DefaultClient, 4), pay.Step(http.DefaultClient, 2)}
}

// scenarios are those that can be exported, with what the script must have.
func scenarios() map[string]struct {
	s    load.Scenario
	want []string
} {
	type c = struct {
		s    load.Scenario
		want []string
	}
	return map[string]c{
		"constant rate": {load.Scenario{Name: "the shop", Traffic: traffic.Rate(50).For(time.Minute), Timeout: 2 * time.Second, MaxInFlight: 200, Grace: 5 * time.Second,
			Thresholds: []string{"service.p(95)<250ms && errors<1%", "dropped==0", "check(has items)>99%", "tag(kind=read).service.max<=1s", "step(pay).count>10", "rate>=40/s abort after 10s"}},
			[]string{`"the_shop"`, `"executor": "constant-arrival-rate"`, `"rate": 50`, `"timeUnit": "1000ms"`, `"duration": "60000ms"`, `"maxVUs": 200`, `"preAllocatedVUs": 50`, `"gracefulStop": "5000ms"`,
				`"http_req_duration": [`, `"p(95)\u003c250"`, `"http_req_failed": [`, `"rate\u003c0.01"`, `"dropped_iterations": [`, `"count==0"`, `"checks{check:has items}": [`, `"rate\u003e0.99"`,
				`"http_req_duration{kind:read}": [`, `"max\u003c=1000"`, `"http_reqs{step:pay}": [`, `"delayAbortEval": "10000ms"`, `"abortOnFail": true`, `"timeout": "2000ms"`, `const turns = [0,1,0];`, `"status": 201`}},
		"ramps": {load.Scenario{Traffic: traffic.Rate(0).To(7.5, time.Minute).Jump(20).For(10*time.Second).To(0, 5*time.Second)},
			[]string{`"executor": "ramping-arrival-rate"`, `"startRate": 0`, `"timeUnit": "2000ms"`, `"target": 15`, `"duration": "0s"`, `"target": 40`, `"gracefulStop": "30000ms"`}},
		"per minute": {load.Scenario{Traffic: traffic.RatePer(7, time.Minute).For(time.Hour)}, []string{`"rate": 7`, `"timeUnit": "60000ms"`, `"preAllocatedVUs": 1`}},
		"users": {load.Scenario{Traffic: traffic.Users(5).For(time.Minute), ThinkTime: latency.Fixed(1500 * time.Millisecond), Thresholds: []string{"p(99)<1s"}, Limits: []threshold.Threshold{{Metric: "med", Op: "<", Value: 0.5, Unit: threshold.Seconds}}},
			[]string{`"executor": "constant-vus"`, `"vus": 5`, "sleep(1.5);", `"p(99)\u003c1000"`, `"med\u003c500"`}},
		"ramping users": {load.Scenario{Traffic: traffic.Users(0).To(50, time.Minute).To(0, time.Minute), ThinkTime: latency.Uniform(time.Second, 3*time.Second), Pacing: 2 * time.Second, LeaveGrace: time.Second},
			[]string{`"executor": "ramping-vus"`, `"startVUs": 0`, `"gracefulRampDown": "1000ms"`, "sleep(Math.max(1 + 2 * Math.random(), 2 - (Date.now() - begun) / 1000));"}},
		"budget": {load.Scenario{Traffic: traffic.Users(5).Budget(100), ThinkTime: latency.Exponential(time.Second), NoGrace: true},
			[]string{`"executor": "shared-iterations"`, `"iterations": 100`, `"maxDuration": "86400000ms"`, "sleep(-1 * Math.log(1 - Math.random()));", `"gracefulStop": "0ms"`}},
		"each": {load.Scenario{Traffic: traffic.Users(5).Each(3).For(time.Hour), ThinkTime: latency.LogNormal(time.Second, 3*time.Second), Pacing: time.Second},
			[]string{`"executor": "per-vu-iterations"`, `"iterations": 3`, "Math.exp(0.472"}},
		"pacing alone": {load.Scenario{Traffic: traffic.Users(1).For(time.Minute), Pacing: time.Second}, []string{"sleep(Math.max(0, 1 - (Date.now() - begun) / 1000));"}},
	}
}

func TestExport(t *testing.T) {
	for name, c := range scenarios() {
		t.Run(name, func(t *testing.T) {
			c.s.Steps = steps()
			var b bytes.Buffer
			require.NoError(t, Export(&b, c.s, browse, pay))
			for _, want := range c.want {
				require.Contains(t, b.String(), want)
			}
			require.NotContains(t, b.String(), "</script>")
		})
	}
	var b bytes.Buffer
	require.NoError(t, Export(&b, load.Scenario{Traffic: traffic.Rate(1).For(time.Second), Do: browse.Do(http.DefaultClient)}, browse))
	require.Contains(t, b.String(), "const turns = [0];")
}

// TestRefuses: what k6 cannot express is an error with the reason, and nothing is written.
func TestRefuses(t *testing.T) {
	rate, users := traffic.Rate(5).For(time.Minute), traffic.Users(5).For(time.Minute)
	for want, s := range map[string]load.Scenario{
		"Scenario.Retry: k6 repeats no requests":                                       {Traffic: rate, Retry: load.Retry{Max: 1}},
		"Scenario.Events: k6 disturbs nothing":                                         {Traffic: rate, Events: []event.Event{event.New("x", func() {}, nil)}},
		"Scenario.Feeds: ":                                                             {Traffic: rate, Feeds: map[string]*load.Feed{"f": nil}},
		"Scenario.NewUser: it is Go code":                                              {Traffic: users, NewUser: func(context.Context, *load.User) error { return nil }},
		"Scenario.ErrorKind: it is Go code":                                            {Traffic: rate, ErrorKind: func(error) string { return "" }},
		"Scenario.Overflow: k6 has no queue":                                           {Traffic: rate, Overflow: load.Queue},
		"Scenario.FailWhenSlow: ":                                                      {Traffic: rate, FailWhenSlow: true},
		"Scenario.Traffic: its gaps are drawn":                                         {Traffic: rate.Poisson()},
		"Scenario.Traffic: it has a wave":                                              {Traffic: traffic.Sine(5, 5, time.Second, time.Minute)},
		"Scenario.Traffic: it has bursts":                                              {Traffic: traffic.Bursts(5, time.Second).For(time.Minute)},
		"Scenario.Traffic: a budget of 9 requests at a rate":                           {Traffic: rate.Budget(9)},
		"Scenario.Traffic: a budget of requests while the number of users changes":     {Traffic: users.To(9, time.Second).Budget(9)},
		"Scenario.Traffic: a budget of all users and one of each":                      {Traffic: users.Budget(9).Each(2)},
		"Scenario.Traffic: 2.5 to 2.5 users: k6 has whole users":                       {Traffic: users.Amplify(0.5)},
		"Scenario.Traffic: k6 has whole rates":                                         {Traffic: traffic.Rate(3.14159265).For(time.Minute)},
		"Scenario.ThinkTime: Pareto(1s, 2): ":                                          {Traffic: users, ThinkTime: latency.Pareto(time.Second, 2)},
		"Scenario.ThinkTime: Normal(1s, 1s): ":                                         {Traffic: users, ThinkTime: latency.Normal(time.Second, time.Second)},
		`threshold "p(95)<1s": it counts from the instant at which a request was due`:  {Traffic: rate, Thresholds: []string{"p(95)<1s"}},
		`threshold "errors<1% every 1s": k6 judges a run as a whole`:                   {Traffic: rate, Thresholds: []string{"errors<1% every 1s"}},
		`threshold "errors<5": k6 knows the share of the errors`:                       {Traffic: rate, Thresholds: []string{"errors<5"}},
		`threshold "late.p(95)<1s": k6 does not say how late`:                          {Traffic: rate, Thresholds: []string{"late.p(95)<1s"}},
		`threshold "metric(x)<1": the metric is one of Go code`:                        {Traffic: rate, Thresholds: []string{"metric(x)<1"}},
		`threshold "timeouts==0": k6 does not count timeouts in this unit`:             {Traffic: rate, Thresholds: []string{"timeouts==0"}},
		`threshold "in_flight<9": k6 does not count in_flight`:                         {Traffic: rate, Thresholds: []string{"in_flight<9"}},
		`threshold "dropped<1%": k6 does not count dropped in this unit`:               {Traffic: rate, Thresholds: []string{"dropped<1%"}},
		`threshold "step(buy).count>1": no request is called "buy"`:                    {Traffic: rate, Thresholds: []string{"step(buy).count>1"}},
		`threshold "tag(a=b:c).count>1": k6 reads no a:b:c with one of the characters`: {Traffic: rate, Thresholds: []string{"tag(a=b:c).count>1"}},
		`threshold "eror<1%"`:                                                          {Traffic: rate, Thresholds: []string{"eror<1%"}},
	} {
		var b bytes.Buffer
		s := s
		s.Steps = steps()
		require.ErrorContains(t, Export(&b, s, browse, pay), want)
		require.Empty(t, b.Bytes())
	}
	s := load.Scenario{Traffic: rate, Steps: steps()}
	require.ErrorContains(t, Export(nil, s, browse), "requests: there are 1, and 2 steps")
	require.ErrorContains(t, Export(nil, s, pay, browse), `number 1 is "pay", and the step is "browse"`)
	for want, r := range map[string]Request{"is not absolute": {URL: "/items"}, "Status: 7": {URL: "http://a", Status: 7}, "invalid method": {URL: "http://a", Method: "A B"}, "URL: parse": {URL: "http://a b"}} {
		require.ErrorContains(t, r.Err(), want)
	}
	require.ErrorIs(t, Export(full{}, s, browse, pay), errFull)
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

// TestRequest: what is exported is what runs here.
func TestRequest(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.Header.Get("X") != "y" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		w.WriteHeader(http.StatusCreated)
	}))
	defer srv.Close()
	defer http.DefaultClient.CloseIdleConnections()
	good := Request{Name: "good", Method: "POST", URL: srv.URL, Header: map[string]string{"X": "y"}, Status: 201, Check: "made", Tags: map[string]string{"a": "b"}}
	bad := Request{Name: "bad", URL: srv.URL}
	res, err := load.Do(context.Background(), load.Scenario{Traffic: traffic.Rate(100).For(100 * time.Millisecond), Steps: []load.Step{good.Step(http.DefaultClient, 1), bad.Step(http.DefaultClient, 1)}})
	require.NoError(t, err)
	require.EqualValues(t, 10, res.Finished)
	require.EqualValues(t, 5, res.Errors)
	require.Equal(t, "status 418", res.ErrorKinds[0].Kind)
	require.EqualValues(t, 5, res.Checks[0].Passed)
	require.Equal(t, "a=b", res.Tags[0].Name)
}

// TestTypeScript: every script is one by the types that k6 publishes.
func TestTypeScript(t *testing.T) {
	if os.Getenv("QTESTS_DISTRIBUTED") == "" {
		t.Skip("the types are of a package of npm: run it with make distributed")
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("npm is not on the PATH")
	}
	dir := t.TempDir()
	out, err := exec.Command(npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", dir, "typescript@5.9.3", "@types/k6@2.3.0").CombinedOutput()
	require.NoError(t, err, "%s", out)
	check := func(name, script string) ([]byte, error) {
		file := filepath.Join(dir, name+".js")
		require.NoError(t, os.WriteFile(file, []byte(script), 0o644))
		cmd := exec.Command("node", "node_modules/typescript/bin/tsc", "--noEmit", "--allowJs", "--checkJs", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler", "--types", "k6", file)
		cmd.Dir = dir
		return cmd.CombinedOutput()
	}
	for name, c := range scenarios() {
		c.s.Steps = steps()
		var b bytes.Buffer
		require.NoError(t, Export(&b, c.s, browse, pay))
		script := b.String()
		out, err := check("good", script)
		require.NoError(t, err, "%s:\n%s\n%s", name, out, script)
		_, err = check("bad", string(bytes.Replace([]byte(script), []byte(`"executor":`), []byte(`"executer":`), 1)))
		require.Error(t, err, "it would notice")
	}
}
