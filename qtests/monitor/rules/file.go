package rules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/internal/query"
)

// MaxFile is the size in bytes of the largest rule file that is read.
const MaxFile = 4 << 20

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
	nodes, err := decode(r)
	if err != nil {
		return nil, fmt.Errorf("rules: %s: %w", name, err)
	}
	var out []monitor.Rule
	groups := map[string]bool{}
	for _, n := range nodes {
		g, err := groupOf(n)
		if err == nil && groups[g.Name] {
			err = errors.New("a group before has the same name")
		}
		if err != nil {
			return nil, fmt.Errorf("rules: %s:%d: group %q: %w", name, n.Line, child(n, "name").Value, err)
		}
		groups[g.Name] = true
		for i := range g.Rules {
			rule, err := g.rule(name, &g.Rules[i])
			if err != nil {
				return nil, err
			}
			out = append(out, rule)
		}
	}
	return out, nil
}

// decode returns the groups of a file.
func decode(r io.Reader) ([]*yaml.Node, error) {
	data, err := readBounded(r)
	if err != nil {
		return nil, err
	}
	root, err := document(data)
	if err != nil || root == nil { // an empty file has no rules
		return nil, err
	}
	if child(root, "kind").Value == "PrometheusRule" {
		return groupsOfOperator(root)
	}
	if err := fields(root, "groups", "namespace"); err != nil { // mimirtool adds the namespace
		return nil, err
	}
	return list(child(root, "groups"), "groups")
}

func readBounded(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err == nil && len(data) > MaxFile {
		err = fmt.Errorf("larger than %d bytes", MaxFile)
	}
	return data, err
}

// document returns what a file has, which is one document or nothing.
func document(data []byte) (*yaml.Node, error) {
	var root yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(data))
	switch err := d.Decode(&root); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if err := d.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one document")
	}
	if n := root.Content[0]; n.Tag != "!!null" {
		return n, nil
	}
	return nil, nil
}

// groupsOfOperator returns the groups of a PrometheusRule of the Prometheus operator.
func groupsOfOperator(root *yaml.Node) ([]*yaml.Node, error) {
	if err := fields(root, "apiVersion", "kind", "metadata", "status", "spec"); err != nil {
		return nil, err
	}
	if v := child(root, "apiVersion"); !strings.HasPrefix(v.Value, "monitoring.coreos.com/") {
		return nil, fmt.Errorf("line %d: a PrometheusRule of apiVersion %q; want monitoring.coreos.com/v1", root.Line, v.Value)
	}
	spec := child(root, "spec")
	if spec.Kind == 0 {
		return nil, fmt.Errorf("line %d: a PrometheusRule without a spec", root.Line)
	}
	if err := fields(spec, "groups"); err != nil {
		return nil, err
	}
	return list(child(spec, "groups"), "groups")
}

// fields refuses what is no mapping, and keys that have no meaning.
func fields(n *yaml.Node, known ...string) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: want fields, such as %s", n.Line, known[0])
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i]; key.Value != "<<" && !slices.Contains(known, key.Value) {
			return fmt.Errorf("line %d: unknown field %q; there are %s", key.Line, key.Value, strings.Join(known, ", "))
		}
	}
	return nil
}

// follow returns what an alias stands for, and any other node itself.
func follow(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// list returns the elements of a list, which may not be there.
func list(n *yaml.Node, name string) ([]*yaml.Node, error) {
	n = follow(n)
	if n.Kind != yaml.SequenceNode && n.Kind != 0 && n.Tag != "!!null" {
		return nil, fmt.Errorf("line %d: %s is no list", n.Line, name)
	}
	return n.Content, nil
}

// groupOf reads a group, without its rules.
func groupOf(n *yaml.Node) (g ruleGroup, err error) {
	n = follow(n)
	if err := fields(n, "name", "interval", "query_offset", "limit", "labels", "rules", "partial_response_strategy"); err != nil {
		return g, err
	}
	if _, err := list(child(n, "rules"), "rules"); err != nil {
		return g, err
	}
	if err := n.Decode(&g); err != nil {
		return g, err
	}
	switch {
	case g.Name == "":
		return g, errors.New("a group without a name")
	case g.Limit < 0:
		return g, fmt.Errorf("limit: %d is negative", g.Limit)
	}
	return g, nil
}

// title begins the errors about a rule.
func title(n *yaml.Node) string {
	if name := child(n, "alert").Value; name != "" {
		return "alert " + name + ": "
	}
	if name := child(n, "record").Value; name != "" {
		return "recording rule " + name + ": "
	}
	return ""
}

// rule reads one rule of the file called name, and gives it what all rules of the group have.
func (g *ruleGroup) rule(name string, n *yaml.Node) (monitor.Rule, error) {
	origin := fmt.Sprintf("%s:%d: group %q", name, n.Line, g.Name)
	rule, err := parse(n)
	if err != nil {
		return rule, fmt.Errorf("rules: %s: %s%w", origin, title(n), err)
	}
	rule.Origin = origin
	labels := map[string]string{}
	maps.Copy(labels, g.Labels)
	maps.Copy(labels, rule.Labels)
	rule.Labels, rule.Every = labels, time.Duration(g.Interval)
	rule.QueryOffset, rule.Limit = time.Duration(g.QueryOffset), g.Limit
	return rule, nil
}

func parse(n *yaml.Node) (monitor.Rule, error) {
	left := maxNodes
	own, err := resolve(n, &left)
	if err != nil {
		return monitor.Rule{}, err
	}
	if err := fields(own, "alert", "record", "expr", "for", "keep_firing_for", "labels", "annotations"); err != nil {
		return monitor.Rule{}, err
	}
	var x ruleNode
	if err := own.Decode(&x); err != nil {
		return monitor.Rule{}, err
	}
	if err := x.check(); err != nil {
		return monitor.Rule{}, err
	}
	return monitor.Rule{
		Name: x.Alert, Record: x.Record, Expr: x.Expr, Labels: x.Labels, Annotations: x.Annotations,
		For: time.Duration(x.For), KeepFiringFor: time.Duration(x.KeepFiringFor),
	}, nil
}

func (x *ruleNode) check() error {
	switch {
	case (x.Record == "") == (x.Alert == ""):
		return errors.New("a rule has either record or alert")
	case x.Expr == "":
		return errors.New("expr is missing")
	}
	return nil
}

// maxNodes bounds one rule, because aliases of aliases grow without end.
const maxNodes = 10_000

// resolve copies a node with what its aliases stand for in their place.
func resolve(n *yaml.Node, left *int) (*yaml.Node, error) {
	n = follow(n)
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
