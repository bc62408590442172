package section

import (
	"fmt"
	"math"
	"slices"
)

// Bounded returns s within the bounds of the package, or an error that names what is wrong with it: a table whose rows
// do not fit its head, a curve without a width, a value that is not a finite number.
func (s Section) Bounded() (Section, error) {
	s.Tables = slices.Clone(s.Tables[:min(len(s.Tables), MaxTables)])
	for i := range s.Tables {
		if err := s.Tables[i].bound(); err != nil {
			return s, fmt.Errorf("section %q: table %q: %w", s.Title, s.Tables[i].Title, err)
		}
	}
	s.Charts = slices.Clone(s.Charts[:min(len(s.Charts), MaxCharts)])
	for i := range s.Charts {
		if err := s.Charts[i].bound(); err != nil {
			return s, fmt.Errorf("section %q: chart %q: %w", s.Title, s.Charts[i].Title, err)
		}
	}
	return s, nil
}

func (t *Table) bound() error {
	for n, row := range t.Rows {
		if len(row) != len(t.Head) {
			return fmt.Errorf("row %d has %d cells, and the head %d", n, len(row), len(t.Head))
		}
	}
	if cut := len(t.Rows) - MaxRows; cut > 0 {
		t.Rows, t.More = t.Rows[:MaxRows], t.More+cut
	}
	return nil
}

func (c *Chart) bound() error {
	c.Curves = slices.Clone(c.Curves[:min(len(c.Curves), MaxCurves)])
	for i := range c.Curves {
		if err := c.Curves[i].bound(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Curve) bound() error {
	if c.Width <= 0 {
		return fmt.Errorf("curve %q: Width: %v is not above 0", c.Name, c.Width)
	}
	c.Values = c.Values[:min(len(c.Values), MaxValues)]
	if i := slices.IndexFunc(c.Values, notFinite); i >= 0 {
		return fmt.Errorf("curve %q: value %d is %v", c.Name, i, c.Values[i])
	}
	return nil
}

func notFinite(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }

// Empty reports whether there is nothing in s to show.
func (s Section) Empty() bool {
	for _, t := range s.Tables {
		if len(t.Rows) > 0 {
			return false
		}
	}
	return len(s.Lines) == 0 && len(s.Charts) == 0
}
