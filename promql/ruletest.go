package promql

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"go.yaml.in/yaml/v2"
)

// RunRuleTests runs the tests in files of promtool's format ("promtool test rules"), one
// subtest for every test, with the name that the file gives it: the rules of rule_files,
// found from the directory of the file, are evaluated by Prometheus' own rule manager and
// engine over input_series, and what differs from the expected alerts and samples fails
// the subtest, expected and got beside each other. The format is the one of the Prometheus
// version in go.mod, to the letter: the notation of series, native histograms,
// evaluation_interval (a minute by default), group_eval_order, fuzzy_compare,
// start_timestamp, external_labels; fields that it does not know are errors.
//
//	func TestAlerts(t *testing.T) { promql.RunRuleTests(t, "alerts_test.yaml") }
//
// A pattern in rule_files that matches no file fails, where promtool only warns.
func RunRuleTests(t *testing.T, files ...string) {
	t.Helper()
	if len(files) == 0 {
		t.Fatal("promql: RunRuleTests without a file")
	}
	for _, path := range files {
		f, err := readRuleTests(path)
		if err != nil {
			t.Errorf("promql: %s: %v", path, err)
			continue
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			for i := range f.Tests {
				t.Run(f.Tests[i].title(i), func(t *testing.T) {
					for _, err := range f.run(i) {
						t.Errorf("promql: %s: %v", path, err)
					}
				})
			}
		})
	}
}

// ruleTests is a file of promtool's format.
type ruleTests struct {
	RuleFiles          []string       `yaml:"rule_files"`
	EvaluationInterval model.Duration `yaml:"evaluation_interval,omitempty"`
	GroupEvalOrder     []string       `yaml:"group_eval_order"`
	FuzzyCompare       bool           `yaml:"fuzzy_compare,omitempty"`
	Tests              []ruleTest     `yaml:"tests"`

	order map[string]int // of the groups in GroupEvalOrder
}

// ruleTest is one test: what is known, and what is asked.
type ruleTest struct {
	Name           string         `yaml:"name,omitempty"`
	Interval       model.Duration `yaml:"interval"`
	InputSeries    []inputSeries  `yaml:"input_series"`
	Alerts         []alertCase    `yaml:"alert_rule_test,omitempty"`
	Exprs          []exprCase     `yaml:"promql_expr_test,omitempty"`
	ExternalLabels labels.Labels  `yaml:"external_labels,omitempty"`
	ExternalURL    string         `yaml:"external_url,omitempty"`
	Start          testStart      `yaml:"start_timestamp,omitempty"`
}

type inputSeries struct {
	Series string `yaml:"series"`
	Values string `yaml:"values"`
}

type alertCase struct {
	EvalTime  model.Duration `yaml:"eval_time"`
	Alertname string         `yaml:"alertname"`
	ExpAlerts []struct {
		Labels      map[string]string `yaml:"exp_labels"`
		Annotations map[string]string `yaml:"exp_annotations"`
	} `yaml:"exp_alerts"`
}

type exprCase struct {
	Expr       string         `yaml:"expr"`
	EvalTime   model.Duration `yaml:"eval_time"`
	ExpSamples []struct {
		Labels    string  `yaml:"labels"`
		Value     float64 `yaml:"value"`
		Histogram string  `yaml:"histogram"` // if not empty, the value does not count
	} `yaml:"exp_samples"`
}

// A testStart is an instant as RFC 3339, or in seconds since 1970.
type testStart struct{ time.Time }

// UnmarshalYAML implements yaml.Unmarshaler.
func (s *testStart) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if err := unmarshal(&text); err != nil {
		return err
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		s.Time = t
		return nil
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("cannot parse %q to a valid timestamp", text)
	}
	s.Time = time.UnixMilli(int64(seconds * 1000)).UTC()
	return nil
}

// readRuleTests reads a file, and finds the rule files.
func readRuleTests(path string) (*ruleTests, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f := &ruleTests{EvaluationInterval: model.Duration(time.Minute), order: map[string]int{}}
	if err := yaml.UnmarshalStrict(data, f); err != nil {
		return nil, err
	}
	for i, name := range f.GroupEvalOrder {
		if _, again := f.order[name]; again {
			return nil, fmt.Errorf("group name repeated in evaluation order: %s", name)
		}
		f.order[name] = i
	}
	var found []string
	for _, pattern := range f.RuleFiles {
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(filepath.Dir(path), pattern)
		}
		files, err := filepath.Glob(pattern)
		if err == nil && len(files) == 0 {
			return nil, fmt.Errorf("rule_files: no file matches %s", pattern)
		}
		if err != nil {
			return nil, fmt.Errorf("rule_files: %s: %w", pattern, err)
		}
		found = append(found, files...)
	}
	f.RuleFiles = found
	return f, nil
}

// title names the test at an index.
func (x *ruleTest) title(i int) string {
	if x.Name != "" {
		return x.Name
	}
	return fmt.Sprintf("unnamed#%d", i)
}

// end is how long the test lasts: up to the last instant at which something is asked.
func (x *ruleTest) end() time.Duration {
	var last model.Duration
	for _, a := range x.Alerts {
		last = max(last, a.EvalTime)
	}
	for _, e := range x.Exprs {
		last = max(last, e.EvalTime)
	}
	return time.Duration(last)
}
