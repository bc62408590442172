package k6

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// Export writes a script for k6. requests are those of s.Steps, in their order, or the one of s.Do. The
// error names everything that k6 cannot express, and then nothing is written.
func Export(w io.Writer, s load.Scenario, requests ...Request) error {
	x := &export{Scenario: s, requests: requests}
	x.check()
	scenario := map[string]any{identifier(cmp.Or(s.Name, load.DefaultName)): x.executor()}
	options := map[string]any{"scenarios": scenario, "thresholds": x.thresholds()}
	pause := x.pause()
	if err := errors.Join(x.errs...); err != nil {
		return err
	}
	_, err := io.WriteString(w, x.script(options, pause))
	return err
}

// stepType is for those who check the script by the types of k6.
const stepType = "/**\n * @type {{name: string, method: string, url: string, headers: Record<string, string>, body: string | null, status: number,\n" +
	" *   tags: Record<string, string>, timeout: string, check: string}[]}\n */\n"

// body is what an iteration does, up to its pause.
const body = `export default function () {
  const begun = Date.now();
  const step = steps[turns[exec.scenario.iterationInTest % turns.length]];
  const responseCallback = step.status > 0 ? http.expectedStatuses(step.status) : http.expectedStatuses({ min: 100, max: 399 });
  const params = { headers: step.headers, tags: step.tags, timeout: step.timeout, responseCallback };
  const res = http.request(step.method, step.url, step.body, params);
  if (step.check !== '') {
    check(res, { [step.check]: (r) => (step.status > 0 ? r.status === step.status : r.status > 0 && r.status < 400) }, step.tags);
  }
`

// An export is a script that is being made. It collects everything that is wrong.
type export struct {
	load.Scenario
	requests []Request
	errs     []error
}

func (x *export) refuse(what, why string, args ...any) {
	x.errs = append(x.errs, fmt.Errorf("k6: %s: "+why, append([]any{what}, args...)...))
}

func (x *export) script(options map[string]any, pause string) string {
	var b strings.Builder
	b.WriteString("import http from 'k6/http';\nimport exec from 'k6/execution';\nimport { check, sleep } from 'k6';\n\n")
	fmt.Fprintf(&b, "/** @type {import('k6/options').Options} */\nexport const options = %s;\n\n", literal(options))
	fmt.Fprintf(&b, "%sconst steps = %s;\n\n", stepType, literal(x.steps()))
	fmt.Fprintf(&b, "// The steps in turn, each in proportion to its weight.\nconst turns = %s;\n\n", compact(x.turns()))
	b.WriteString(body + pause + "}\n")
	return b.String()
}

// check refuses fields that a script cannot have.
func (x *export) check() {
	for _, c := range []struct {
		set       bool
		name, why string
	}{
		{x.Retry.Max > 0, "Retry", "k6 repeats no requests"},
		{len(x.Events) > 0, "Events", "k6 disturbs nothing"},
		{len(x.Feeds) > 0, "Feeds", "their rows are read by Go code"},
		{x.NewUser != nil, "NewUser", "it is Go code"},
		{x.Route != nil, "Route", "it is Go code"},
		{x.ErrorKind != nil, "ErrorKind", "it is Go code, and k6 counts no kinds of errors"},
		{x.Overflow == load.Queue, "Overflow", "k6 has no queue: it drops iterations for which there is no VU"},
		{x.FailWhenSlow, "FailWhenSlow", "k6 does not say how late requests start"},
		{len(x.Sections) > 0, "Sections", "they are asked in the process of the scenario"},
	} {
		if c.set {
			x.refuse("Scenario."+c.name, "%s", c.why)
		}
	}
	x.checkRequests()
}

// checkRequests compares the requests with the steps.
func (x *export) checkRequests() {
	steps := max(len(x.Steps), 1)
	if len(x.requests) != steps {
		x.refuse("requests", "there are %d, and %d steps", len(x.requests), steps)
	}
	for i, r := range x.requests {
		if err := r.Err(); err != nil {
			x.errs = append(x.errs, err)
		}
		if i < len(x.Steps) && r.Name != x.Steps[i].Name {
			x.refuse("requests", "number %d is %q, and the step is %q", i+1, r.Name, x.Steps[i].Name)
		}
	}
}

// A step is a request in the script.
type step struct {
	Name    string            `json:"name"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    *string           `json:"body"`
	Status  int               `json:"status"`
	Tags    map[string]string `json:"tags"`
	Timeout string            `json:"timeout"`
	Check   string            `json:"check"`
}

func (x *export) steps() (out []step) {
	for _, r := range x.requests {
		s := step{Name: r.Name, Method: r.method(), URL: r.URL, Headers: map[string]string{}, Status: r.Status, Tags: map[string]string{"step": r.Name}, Timeout: "24h", Check: r.Check}
		maps.Copy(s.Headers, r.Header)
		maps.Copy(s.Tags, r.Tags)
		if r.Body != "" {
			s.Body = &r.Body
		}
		if x.Timeout > 0 {
			s.Timeout = milliseconds(x.Timeout)
		}
		out = append(out, s)
	}
	return out
}

// turns is the order of the steps: after any number of turns each is near its share, and after all of
// them it has it.
func (x *export) turns() (order []int) {
	weights, sum, divisor := x.weights(), 0, 0
	for _, w := range weights {
		sum, divisor = sum+w, commonDivisor(divisor, w)
	}
	credit := make([]int, len(weights))
	for range sum / max(divisor, 1) {
		best := richest(credit, weights)
		credit[best] -= sum
		order = append(order, best)
	}
	return order
}

// weights are those of the steps, each at least 1.
func (x *export) weights() []int {
	all := make([]int, len(x.requests))
	for i := range all {
		all[i] = 1
		if i < len(x.Steps) {
			all[i] = max(x.Steps[i].Weight, 1)
		}
	}
	return all
}

// richest adds to each credit its weight, and returns the first one that is the largest then.
func richest(credit, weights []int) (best int) {
	for i, w := range weights {
		credit[i] += w
		if credit[i] > credit[best] {
			best = i
		}
	}
	return best
}

// commonDivisor is the greatest one of a and b, by Euclid.
func commonDivisor(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// literal writes a value as an object of the script.
func literal(v any) string {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic("k6: " + err.Error()) // maps, texts and numbers only
	}
	return string(text)
}

func compact(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("k6: " + err.Error()) // numbers only
	}
	return string(text)
}

// identifier is a name as k6 takes one of a scenario: letters, digits, _ and -.
func identifier(name string) string {
	return strings.Map(func(c rune) rune {
		if c < 128 && (c == '_' || c == '-' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z') {
			return c
		}
		return '_'
	}, name)
}

// level is the highest level of stages.
func level(stages []traffic.Stage) (most float64) {
	for _, s := range stages {
		most = max(most, s.From, s.To)
	}
	return most
}
