package rules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/internal/query"
)

// MaxFile is the size in bytes of the largest rule file that is read.
const MaxFile = 4 << 20

// ruleFile is Prometheus' format of rule files.
type ruleFile struct {
	Groups []ruleGroup `yaml:"groups"`
	// Namespace is what mimirtool adds.
	Namespace string `yaml:"namespace"`
}

type ruleGroup struct {
	Name        string            `yaml:"name"`
	Interval    duration          `yaml:"interval"`
	QueryOffset duration          `yaml:"query_offset"`
	Limit       int               `yaml:"limit"`
	Labels      map[string]string `yaml:"labels"`
	Rules       []yaml.Node       `yaml:"rules"`
	// PartialResponse is what Thanos and the operator add.
	PartialResponse string `yaml:"partial_response_strategy"`
}

type ruleNode struct {
	Record        string            `yaml:"record"`
	Alert         string            `yaml:"alert"`
	Expr          string            `yaml:"expr"`
	For           duration          `yaml:"for"`
	KeepFiringFor duration          `yaml:"keep_firing_for"`
	Labels        map[string]string `yaml:"labels"`
	Annotations   map[string]string `yaml:"annotations"`
}

// A duration is Prometheus' text form: 1h30m.
type duration time.Duration

func (d *duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := query.ParseDuration(n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	*d = duration(v)
	return nil
}

// Read reads a Prometheus rule file. See Parse.
func Read(path string) ([]monitor.Rule, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	defer func() { _ = f.Close() }()
	return Parse(path, f)
}

// Parse reads a rule file in Prometheus' format, strictly: an unknown field, a group
// twice, and a rule that is both or neither of record and alert are errors that name the
// file, the line and the field. Anchors and aliases of YAML are followed. A PrometheusRule
// object of the Prometheus operator is read, too. What Thanos and mimirtool add to a file,
// partial_response_strategy and namespace, has no meaning here. More than one document is an error.
//
// Expressions are checked when a monitor is made of them, by its compiler; the error has
// Rule.Origin, which is the file, the line and the group. A group's interval becomes
// Rule.Every, its query_offset and limit those of its rules, and its labels theirs.
func Parse(name string, r io.Reader) ([]monitor.Rule, error) {
	file, err := decode(r)
	if err != nil {
		return nil, fmt.Errorf("rules: %s: %w", name, err)
	}
	var out []monitor.Rule
	groups := map[string]bool{}
	for _, g := range file.Groups {
		if err := g.check(groups[g.Name]); err != nil {
			return nil, fmt.Errorf("rules: %s: %w", name, err)
		}
		groups[g.Name] = true
		for i := range g.Rules {
			origin := fmt.Sprintf("%s:%d: group %q", name, g.Rules[i].Line, g.Name)
			rule, err := g.rule(&g.Rules[i])
			if err != nil {
				return nil, fmt.Errorf("rules: %s: %w", origin, err)
			}
			rule.Origin = origin
			out = append(out, rule)
		}
	}
	return out, nil
}

func decode(r io.Reader) (file ruleFile, err error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return file, err
	}
	if len(data) > MaxFile {
		return file, fmt.Errorf("larger than %d bytes", MaxFile)
	}
	var object operatorObject
	if yaml.Unmarshal(data, &object) == nil && object.Kind == "PrometheusRule" {
		return object.groups(data)
	}
	if err := strict(data, &file); err != nil && !errors.Is(err, io.EOF) { // an empty file has no rules
		return file, err
	}
	return file, nil
}

// An operatorObject is a PrometheusRule of the Prometheus operator.
type operatorObject struct {
	APIVersion string    `yaml:"apiVersion"`
	Kind       string    `yaml:"kind"`
	Metadata   yaml.Node `yaml:"metadata"`
	Status     yaml.Node `yaml:"status"`
	Spec       struct {
		Groups []ruleGroup `yaml:"groups"`
	} `yaml:"spec"`
}

// groups reads the object strictly.
func (operatorObject) groups(data []byte) (file ruleFile, err error) {
	var object operatorObject
	if err := strict(data, &object); err != nil {
		return file, err
	}
	if !strings.HasPrefix(object.APIVersion, "monitoring.coreos.com/") {
		return file, fmt.Errorf("a PrometheusRule of apiVersion %q; want monitoring.coreos.com/v1", object.APIVersion)
	}
	return ruleFile{Groups: object.Spec.Groups}, nil
}

// check refuses a group without a name of its own.
func (g *ruleGroup) check(again bool) error {
	switch {
	case g.Name == "":
		return errors.New("a group without a name")
	case again:
		return fmt.Errorf("group %q is there twice", g.Name)
	case g.Limit < 0:
		return fmt.Errorf("group %q: limit: %d is negative", g.Name, g.Limit)
	}
	return nil
}

// rule reads one rule and gives it what all rules of the group have.
func (g *ruleGroup) rule(n *yaml.Node) (monitor.Rule, error) {
	rule, err := parse(n)
	if err != nil {
		return rule, err
	}
	labels := map[string]string{}
	maps.Copy(labels, g.Labels)
	maps.Copy(labels, rule.Labels)
	rule.Labels, rule.Every = labels, time.Duration(g.Interval)
	rule.QueryOffset, rule.Limit = time.Duration(g.QueryOffset), g.Limit
	return rule, nil
}

// strict decodes one document without unknown fields and nothing after it.
func strict(data []byte, v any) error {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(v); err != nil {
		return err
	}
	if err := d.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return errors.New("more than one document")
	}
	return nil
}

func parse(n *yaml.Node) (monitor.Rule, error) {
	// A Node decodes without KnownFields, so it goes through text once more, in which the
	// anchors outside of it are not there.
	left := maxNodes
	own, err := resolve(n, &left)
	if err != nil {
		return monitor.Rule{}, err
	}
	data, err := yaml.Marshal(own)
	if err != nil {
		return monitor.Rule{}, err
	}
	var x ruleNode
	if err := strict(data, &x); err != nil {
		return monitor.Rule{}, err
	}
	switch {
	case (x.Record == "") == (x.Alert == ""):
		return monitor.Rule{}, errors.New("a rule has either record or alert")
	case x.Expr == "":
		return monitor.Rule{}, fmt.Errorf("%s: expr is missing", x.Record+x.Alert)
	}
	rule := monitor.Rule{
		Name: x.Alert, Record: x.Record, Expr: x.Expr, Labels: x.Labels, Annotations: x.Annotations,
		For: time.Duration(x.For), KeepFiringFor: time.Duration(x.KeepFiringFor),
	}
	return rule, nil
}

// maxNodes bounds one rule, because aliases of aliases grow without end.
const maxNodes = 10_000

// resolve copies a node with what its aliases stand for in their place.
func resolve(n *yaml.Node, left *int) (*yaml.Node, error) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if *left--; *left < 0 {
		return nil, fmt.Errorf("line %d: a rule of more than %d nodes", n.Line, maxNodes)
	}
	out := *n
	out.Anchor, out.Content = "", make([]*yaml.Node, len(n.Content))
	for i, child := range n.Content {
		var err error
		if out.Content[i], err = resolve(child, left); err != nil {
			return nil, err
		}
	}
	return &out, nil
}
