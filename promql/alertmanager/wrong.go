package alertmanager

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/alertmanager/config"
	"go.yaml.in/yaml/v3"
)

// where adds to an error of Alertmanager about the text of a file the line that it is
// about, before each of its lines: Alertmanager itself says it only where YAML is wrong.
func where(path, text string, err error) error {
	var out []string
	for _, m := range lineSaid.FindAllStringSubmatch(err.Error(), -1) {
		out = append(out, fmt.Sprintf("%s:%s: %s", path, m[1], m[2]))
	}
	if len(out) > 0 {
		return errors.New(strings.Join(out, "\n"))
	}
	var document yaml.Node
	if yaml.Unmarshal([]byte(text), &document) != nil || len(document.Content) == 0 {
		return fmt.Errorf("%s: %w", path, err)
	}
	c := culprit{root: &document, message: err.Error()}
	c.search(&document)
	if c.line > 0 {
		path = fmt.Sprintf("%s:%d", path, c.line)
	}
	return fmt.Errorf("%s: %w%s", path, err, known(&document, err))
}

var lineSaid = regexp.MustCompile(`(?m)line (\d+): (.*?)(?: in type \S+)?$`)

// maxLoads bounds how often a culprit reads the file.
const maxLoads = 300

// A culprit is the smallest part of a file without which an error is not there. Where
// another error comes up without it, it is the culprit only if there is no better one.
type culprit struct {
	root    *yaml.Node
	message string
	loads   int
	line    int
	sure    bool // no error is left without it
}

// search looks among the parts of a node: the elements of a list, the keys of a mapping.
func (c *culprit) search(n *yaml.Node) {
	switch n.Kind {
	case yaml.DocumentNode:
		c.search(n.Content[0])
	case yaml.SequenceNode:
		c.among(n, 0, len(n.Content), 1)
	case yaml.MappingNode:
		c.among(n, 0, len(n.Content), 2)
	}
}

// among takes the parts [lo, hi) away, each of them width nodes, and looks closer where
// that makes a difference: at each half, and within a part.
func (c *culprit) among(n *yaml.Node, lo, hi, width int) {
	if lo >= hi || c.loads >= maxLoads {
		return
	}
	all := n.Content
	n.Content = slices.Concat(all[:lo], all[hi:])
	err := c.load()
	n.Content = all
	switch {
	case err != nil && err.Error() == c.message:
	case hi-lo > width:
		middle := lo + (hi-lo)/width/2*width
		c.among(n, lo, middle, width)
		c.among(n, middle, hi, width)
	case err == nil || !c.sure:
		c.line, c.sure = all[lo].Line, err == nil
		fallthrough
	default:
		c.search(all[hi-1])
	}
}

// load reads what is left.
func (c *culprit) load() error {
	c.loads++
	text, err := yaml.Marshal(c.root)
	if err != nil {
		return err
	}
	_, err = config.Load(string(text))
	return err
}

// known names what the file defines, where an error is about something that it does not.
func known(document *yaml.Node, err error) string {
	lists := []string{"time_intervals", "mute_time_intervals"}
	switch {
	case strings.HasPrefix(err.Error(), "undefined receiver"):
		lists = []string{"receivers"}
	case !strings.HasPrefix(err.Error(), "undefined time interval"):
		return ""
	}
	var file map[string]yaml.Node
	_ = document.Decode(&file)
	var names []string
	for _, list := range lists {
		var defined []struct {
			Name string `yaml:"name"`
		}
		of := file[list]
		_ = of.Decode(&defined)
		for _, x := range defined {
			names = append(names, x.Name)
		}
	}
	return fmt.Sprintf("; there are %q", names)
}
