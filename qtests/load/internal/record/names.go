package record

import "time"

const (
	// maxNames bounds how many parts, routes, tags, checks and kinds of errors a run tells
	// apart. What comes later is counted as other.
	maxNames = 100
	other    = "other"
	// MaxSteps bounds the steps of a scenario.
	MaxSteps = 1000
)

// partSuffix tells a part from a step that has its name.
const partSuffix = " (part)"

// Step returns the tally of a step or a part, or the tally of "other" when there are too
// many. A part never shares the tally of a step, which counts requests.
func (r *Recorder) Step(name string, part bool) *Tally {
	if t, ok := r.Steps[name]; ok {
		switch {
		case t.Part == part:
			return t
		case part:
			return r.Step(name+partSuffix, true)
		}
		r.makeRoom(t)
	}
	full := len(r.Steps) >= MaxSteps || len(r.Steps) >= maxNames && part
	if full && name != other && name != other+partSuffix {
		return r.Step(other, part)
	}
	t := &Tally{Name: name, Part: part}
	if len(r.StepOrder) < maxCurves {
		t.curve = newCurve(r.length)
	}
	r.Steps[name] = t
	r.StepOrder = append(r.StepOrder, t)
	return t
}

// makeRoom renames a part when a route is found to have its name.
func (r *Recorder) makeRoom(part *Tally) {
	delete(r.Steps, part.Name)
	for taken := true; taken; _, taken = r.Steps[part.Name] {
		part.Name += partSuffix
	}
	r.Steps[part.Name] = part
}

// Only makes the run's own tally the one of its only step, so that nothing is
// counted twice.
func (r *Recorder) Only(name string) *Tally {
	r.All.Name = name
	r.Steps[name] = &r.All
	r.StepOrder = append(r.StepOrder, &r.All)
	return &r.All
}

// Route returns the tally of a step that a request is routed to. Beyond maxNames it is the tally of "other".
func (r *Recorder) Route(name string) *Tally {
	if _, ok := r.Steps[name]; !ok && len(r.Steps) >= maxNames {
		name = other
	}
	return r.Step(name, false)
}

// Tag returns the tally of a tag. Beyond maxNames it is the tally of the value "other".
func (r *Recorder) Tag(t Tag) *Tally {
	if known, ok := r.tags[t]; ok {
		return known
	}
	if len(r.tags) >= maxNames {
		t = Tag{t.Key, other}
		if known, ok := r.tags[t]; ok {
			return known
		}
		if len(r.tags) >= 2*maxNames {
			t.Key = other
			if known, ok := r.tags[t]; ok {
				return known
			}
		}
	}
	known := &Tally{Name: t.Key + "=" + t.Value}
	r.tags[t] = known
	r.TagOrder = append(r.TagOrder, known)
	return known
}

// Check counts the result of a check. Beyond maxNames it counts for "other".
func (r *Recorder) Check(name string, ok bool) {
	c, known := r.Checks[name]
	if !known {
		if len(r.Checks) >= maxNames {
			name = other
		}
		if c, known = r.Checks[name]; !known {
			c = &checkTally{name: name}
			r.Checks[name] = c
		}
	}
	c.Of++
	if ok {
		c.Passed++
	}
}

func (r *Recorder) fault(kind, step, text string, at time.Duration) {
	f, known := r.faults[kind]
	if !known {
		if len(r.faults) >= maxNames {
			kind = other
		}
		if f, known = r.faults[kind]; !known {
			f = &faultTally{kind: kind, step: step, text: text, first: at}
			r.faults[kind] = f
		}
	}
	f.count++
}
