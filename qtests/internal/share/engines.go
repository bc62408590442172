package share

import (
	"fmt"
	"strconv"
	"strings"
)

// An engine runs the parts, and tells each of them which one it is.
type engine struct {
	name         string
	index, total string // variables
	from         string // the variable with the index of the first part, if there is one
	step         string // the variable with the distance of two indexes, if there is one
	first        int    // the index of the first part, where no variable says it
	// alone says that index may be missing, where total is 1.
	alone bool
}

var engines = []engine{
	{name: "Kubernetes", index: "JOB_COMPLETION_INDEX", total: SharesVar},
	{name: "GitLab", index: "CI_NODE_INDEX", total: "CI_NODE_TOTAL", first: 1, alone: true},
	{name: "CircleCI", index: "CIRCLE_NODE_INDEX", total: "CIRCLE_NODE_TOTAL"},
	{name: "Buildkite", index: "BUILDKITE_PARALLEL_JOB", total: "BUILDKITE_PARALLEL_JOB_COUNT"},
	{name: "Slurm", index: "SLURM_ARRAY_TASK_ID", total: "SLURM_ARRAY_TASK_COUNT", from: "SLURM_ARRAY_TASK_MIN", step: "SLURM_ARRAY_TASK_STEP"},
}

// read returns the share that an engine tells of, if it does.
func (e engine) read(getenv func(string) string) (s Share, ok bool, err error) {
	index, total := getenv(e.index), getenv(e.total)
	switch {
	case index == "" && (total == "" || e.total == SharesVar):
		return Share{}, false, nil
	case index == "" && e.alone && total == "1":
		return Share{1, 1}, true, nil
	case index == "":
		return Share{}, false, fmt.Errorf("%s: %s is set, and %s is not", e.name, e.total, e.index)
	case total == "":
		return Share{}, false, fmt.Errorf("%s: %s is %s, and %s does not say how many parts there are", e.name, e.index, index, e.total)
	}
	n := numbers{name: e.name, getenv: getenv}
	i, of, first, step := n.read(e.index), n.read(e.total), e.first, 1
	if e.from != "" && getenv(e.from) != "" {
		first = n.read(e.from)
	}
	if e.step != "" && getenv(e.step) != "" {
		step = n.read(e.step)
	}
	switch {
	case n.err != nil:
		return Share{}, false, n.err
	case step < 1 || (i-first)%step != 0:
		return Share{}, false, fmt.Errorf("%s: %s is %d, which is no multiple of the step %d after %d", e.name, e.index, i, step, first)
	}
	if s, err = check((i-first)/step+1, of); err != nil {
		names := []string{e.index + "=" + index, e.total + "=" + total}
		if e.from != "" {
			names = append(names, e.from+"="+getenv(e.from))
		}
		return Share{}, false, fmt.Errorf("%s: %s is part %w", e.name, strings.Join(names, ", "), err)
	}
	return s, true, nil
}

// numbers reads numbers, and keeps the first error.
type numbers struct {
	name   string
	getenv func(string) string
	err    error
}

func (n *numbers) read(name string) int {
	x, err := strconv.Atoi(n.getenv(name))
	if (err != nil || x < 0 || x > 1<<30) && n.err == nil {
		n.err = fmt.Errorf("%s: %s=%q is not a number from 0 on", n.name, name, n.getenv(name))
	}
	return x
}
