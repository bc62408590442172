package rules

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"

	"github.com/go-qtests/qtests/qtests/monitor"
)

// A Prometheus is what a prometheus.yml says that has a meaning in a test.
type Prometheus struct {
	// Interval and Timeout are global.scrape_interval and scrape_timeout, a minute and ten
	// seconds where the file does not say.
	Interval, Timeout time.Duration
	// ExternalLabels are global.external_labels, with $NAME and ${NAME} replaced by the
	// variables of the environment.
	ExternalLabels map[string]string
	// Targets are those of the static_configs, with their labels, and without a Gatherer.
	Targets []monitor.Target
	// Rules are those of the rule_files. Groups without an interval have
	// global.evaluation_interval, a minute where the file does not say.
	Rules []monitor.Rule
	// PassedOver names, in the order of the file, what has no meaning in a test or is not
	// done here: "scrape_configs[0] (shop): relabel_configs".
	PassedOver []string
}

// prometheusFile is as much of the format of prometheus.yml as is read.
type prometheusFile struct {
	Global        global      `yaml:"global"`
	RuleFiles     []string    `yaml:"rule_files"`
	ScrapeConfigs []yaml.Node `yaml:"scrape_configs"`
}

type global struct {
	ScrapeInterval     duration          `yaml:"scrape_interval"`
	ScrapeTimeout      duration          `yaml:"scrape_timeout"`
	EvaluationInterval duration          `yaml:"evaluation_interval"`
	ExternalLabels     map[string]string `yaml:"external_labels"`
}

type scrapeConfig struct {
	JobName        string         `yaml:"job_name"`
	ScrapeInterval duration       `yaml:"scrape_interval"`
	ScrapeTimeout  duration       `yaml:"scrape_timeout"`
	HonorLabels    bool           `yaml:"honor_labels"`
	StaticConfigs  []staticConfig `yaml:"static_configs"`
}

type staticConfig struct {
	Targets []string          `yaml:"targets"`
	Labels  map[string]string `yaml:"labels"`
}

// ReadPrometheus reads a prometheus.yml and the rule files that it names. Relative paths
// and globs begin at the directory of the file. A file that is named without a glob must
// be there.
func ReadPrometheus(path string) (*Prometheus, error) {
	p, err := readPrometheus(path)
	if err != nil {
		return nil, fmt.Errorf("rules: %s: %w", path, err)
	}
	return p, nil
}

func readPrometheus(path string) (*Prometheus, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	root, err := document(data)
	switch {
	case err != nil:
		return nil, err
	case root == nil:
		root = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	}
	var file prometheusFile
	if err := root.Decode(&file); err != nil {
		return nil, err
	}
	p := newPrometheus(&file.Global)
	p.passOver("", root, "global", "rule_files", "scrape_configs")
	p.passOver("global: ", child(root, "global"), "scrape_interval", "scrape_timeout", "evaluation_interval", "external_labels")
	if err := p.addJobs(file.ScrapeConfigs); err != nil {
		return nil, err
	}
	evaluation := cmp.Or(time.Duration(file.Global.EvaluationInterval), time.Minute)
	return p, p.addRules(filepath.Dir(path), file.RuleFiles, evaluation)
}

func newPrometheus(g *global) *Prometheus {
	interval := cmp.Or(time.Duration(g.ScrapeInterval), time.Minute)
	timeout := cmp.Or(time.Duration(g.ScrapeTimeout), 10*time.Second)
	labels := map[string]string{}
	for name, value := range g.ExternalLabels {
		labels[name] = os.Expand(value, os.Getenv)
	}
	return &Prometheus{Interval: interval, Timeout: min(timeout, interval), ExternalLabels: labels}
}

// child returns the value of a key of a mapping, or an empty node.
func child(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return &yaml.Node{}
}

// passOver notes the keys of a mapping that are not read.
func (p *Prometheus) passOver(where string, n *yaml.Node, read ...string) {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if key := n.Content[i].Value; !slices.Contains(read, key) {
			p.PassedOver = append(p.PassedOver, where+key)
		}
	}
}

// addJobs adds the targets of all scrape configs.
func (p *Prometheus) addJobs(configs []yaml.Node) error {
	jobs := map[string]bool{}
	for i := range configs {
		n := &configs[i]
		name := child(n, "job_name").Value
		if err := p.addJob(i, n, jobs[name]); err != nil {
			return fmt.Errorf("scrape_configs[%d] (%s): line %d: %w", i, name, n.Line, err)
		}
		jobs[name] = true
	}
	return nil
}

// addJob adds the targets of one scrape config.
func (p *Prometheus) addJob(i int, n *yaml.Node, again bool) error {
	var job scrapeConfig
	switch err := n.Decode(&job); {
	case err != nil:
		return err
	case job.JobName == "":
		return errors.New("a scrape config without a job_name")
	case again:
		return errors.New("a scrape config before has the same job_name")
	}
	where := fmt.Sprintf("scrape_configs[%d] (%s): ", i, job.JobName)
	p.passOver(where, n, "job_name", "scrape_interval", "scrape_timeout", "honor_labels", "static_configs")
	p.passOverOwn(where+"scrape_interval", job.ScrapeInterval, p.Interval)
	p.passOverOwn(where+"scrape_timeout", job.ScrapeTimeout, p.Timeout)
	for _, s := range job.StaticConfigs {
		for _, address := range s.Targets {
			p.addTarget(where, job, address, s.Labels)
		}
	}
	return nil
}

// passOverOwn notes a duration of a scrape config that is not the global one.
func (p *Prometheus) passOverOwn(name string, own duration, global time.Duration) {
	if own != 0 && time.Duration(own) != global {
		p.PassedOver = append(p.PassedOver, name+", which differs from the global one")
	}
}

// addTarget adds one target. Labels that begin with __ are for relabelling only; job and
// instance may be set by hand.
func (p *Prometheus) addTarget(where string, job scrapeConfig, address string, labels map[string]string) {
	t := monitor.Target{Job: job.JobName, Instance: address, HonorLabels: job.HonorLabels, Labels: map[string]string{}}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		switch value := labels[name]; {
		case name == "job":
			t.Job = value
		case name == "instance":
			t.Instance = value
		case strings.HasPrefix(name, "__"):
			p.PassedOver = append(p.PassedOver, where+"label "+name)
		default:
			t.Labels[name] = value
		}
	}
	p.Targets = append(p.Targets, t)
}

// addRules reads the rule files.
func (p *Prometheus) addRules(dir string, patterns []string, evaluation time.Duration) error {
	for _, pattern := range patterns {
		files, err := p.filesOf(dir, pattern)
		if err != nil {
			return err
		}
		for _, file := range files {
			read, err := Read(file)
			if err != nil {
				return err
			}
			p.Rules = append(p.Rules, read...)
		}
	}
	p.paceRules(evaluation)
	return nil
}

// filesOf are the files that a pattern matches. A pattern without a glob has to match one.
func (p *Prometheus) filesOf(dir, pattern string) ([]string, error) {
	path := pattern
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	files, err := filepath.Glob(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("rule_files: %s: %w", pattern, err)
	case len(files) == 0 && strings.ContainsAny(pattern, `*?[`):
		p.PassedOver = append(p.PassedOver, "rule_files: "+pattern+", which no file matches")
	case len(files) == 0:
		return nil, fmt.Errorf("rule_files: %s is not there", pattern)
	}
	return files, nil
}

// paceRules gives every rule an interval that is a multiple of the scrapes'.
func (p *Prometheus) paceRules(evaluation time.Duration) {
	for i := range p.Rules {
		r := &p.Rules[i]
		wanted := cmp.Or(r.Every, evaluation)
		r.Every = (wanted + p.Interval - 1) / p.Interval * p.Interval
		if r.Every != wanted {
			p.PassedOver = append(p.PassedOver,
				fmt.Sprintf("%s: the interval %v, which is no multiple of the scrape interval %v: it is %v", r.Origin, wanted, p.Interval, r.Every))
		}
	}
}

// Config returns a monitor.Config of the file. find returns the gatherer of a target, or
// nil where the test has none: such targets are left out, and added to PassedOver. The
// error says that there is none at all.
func (p *Prometheus) Config(find func(job, instance string) prometheus.Gatherer) (monitor.Config, error) {
	cfg := monitor.Config{Interval: p.Interval, Timeout: p.Timeout, ExternalLabels: maps.Clone(p.ExternalLabels), Rules: slices.Clone(p.Rules)}
	var known []string
	for _, t := range p.Targets {
		known = append(known, t.Job+" "+t.Instance)
		if t.Gatherer = find(t.Job, t.Instance); t.Gatherer == nil {
			p.PassedOver = append(p.PassedOver, fmt.Sprintf("target %s %s, for which there is no gatherer", t.Job, t.Instance))
			continue
		}
		cfg.Targets = append(cfg.Targets, t)
	}
	if len(cfg.Targets) == 0 {
		return cfg, fmt.Errorf("rules: no target of the file has a gatherer; there are %q", known)
	}
	return cfg, nil
}
