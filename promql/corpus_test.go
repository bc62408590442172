package promql_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v2"

	"github.com/go-qtests/qtests/promql"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/rules"
)

// wanted is the share of public rules that both readers have to load.
const wanted = 0.99

// TestCorpus counts how many of the rules in a directory each reader loads: see
// corpus/sources.txt, and make corpus.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("QTESTS_CORPUS")
	if dir == "" {
		t.Skip("QTESTS_CORPUS is not set: make corpus DIR=… counts the rule files of a directory")
	}
	c := corpus{refused: map[string][]string{}}
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		return c.file(path)
	}))
	t.Logf("%d rule files with %d rules (%d other files; %d with templates of another language, which are no YAML)", c.files, c.rules, c.others, c.broken)
	t.Logf("monitor's own reader loads %d, %.2f %%, and %d files whole", c.own, c.share(c.own), c.ownFiles)
	t.Logf("module promql loads %d, %.2f %%, and %d files whole", c.engine, c.share(c.engine), c.engineFiles)
	for _, reason := range slices.SortedFunc(maps.Keys(c.refused), func(a, b string) int {
		return cmp.Or(len(c.refused[b])-len(c.refused[a]), strings.Compare(a, b))
	}) {
		t.Logf("%5d  %s\n        first in %s", len(c.refused[reason]), reason, c.refused[reason][0])
	}
	require.GreaterOrEqual(t, c.files, 300, "files")
	require.GreaterOrEqual(t, c.share(c.own), 100*wanted)
	require.GreaterOrEqual(t, c.share(c.engine), 100*wanted)
}

// A corpus is what was counted.
type corpus struct {
	files, others, broken, rules int
	own, ownFiles                int
	engine, engineFiles          int
	refused                      map[string][]string // files by reason
}

func (c *corpus) share(n int) float64 { return 100 * float64(n) / float64(max(c.rules, 1)) }

// A looseFile is what a rule file and an operator's object have in common, however else
// they may be wrong.
type looseFile struct {
	Kind   string       `yaml:"kind"`
	Groups []looseGroup `yaml:"groups"`
	Spec   struct {
		Groups []looseGroup `yaml:"groups"`
	} `yaml:"spec"`
}

type looseGroup struct {
	Rules []struct {
		Record string `yaml:"record"`
		Alert  string `yaml:"alert"`
		Expr   any    `yaml:"expr"`
	} `yaml:"rules"`
}

// loose counts the rules of a text.
func loose(data []byte) (n int, err error) {
	d := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var f looseFile
		if err := d.Decode(&f); errors.Is(err, io.EOF) {
			return n, nil
		} else if err != nil {
			return n, err
		}
		if f.Kind != "" && f.Kind != "PrometheusRule" {
			continue // such as the rules of Loki's operator, which are LogQL
		}
		for _, g := range append(f.Groups, f.Spec.Groups...) {
			for _, r := range g.Rules {
				if r.Expr != nil && r.Record+r.Alert != "" {
					n++
				}
			}
		}
	}
}

// file counts one file, unless it has no rules.
func (c *corpus) file(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	n, err := loose(data)
	switch {
	case err != nil && !isTypeError(err):
		c.broken++
		return nil
	case n == 0:
		c.others++
		return nil
	}
	c.files++
	c.rules += n
	all, err := rules.Parse(path, bytes.NewReader(data))
	if err != nil {
		for range n {
			c.refuse(path, "file: ", err)
		}
		return nil
	}
	own, engine := 0, 0
	for _, r := range all {
		if err := loads(r, nil); err != nil {
			c.refuse(path, "own reader: ", err)
		} else {
			own++
		}
		if err := loads(r, promql.NewEngine().Compile); err != nil {
			c.refuse(path, "promql: ", err)
		} else {
			engine++
		}
	}
	c.own, c.engine = c.own+own, c.engine+engine
	if own == len(all) {
		c.ownFiles++
	}
	if engine == len(all) {
		c.engineFiles++
	}
	return nil
}

func isTypeError(err error) bool {
	var wrong *yaml.TypeError
	return errors.As(err, &wrong)
}

// refuse notes a reason, without where it is.
func (c *corpus) refuse(path, what string, err error) {
	text := strings.ReplaceAll(err.Error(), path, "FILE")
	if i := strings.LastIndex(text, "Config.Rules[0]."); i >= 0 {
		text = text[i+len("Config.Rules[0]."):]
	}
	if len(text) > 300 {
		text = text[:150] + " … " + text[len(text)-150:]
	}
	reason := what + text
	c.refused[reason] = append(c.refused[reason], path)
}

// loads makes a monitor of one rule.
func loads(r monitor.Rule, compile monitor.Compiler) error {
	m, err := monitor.New(monitor.Config{Disabled: true, Clock: clock.NewMock(), Rules: []monitor.Rule{r}, Compile: compile})
	if err != nil {
		return fmt.Errorf("%w", err)
	}
	m.Close()
	return nil
}
