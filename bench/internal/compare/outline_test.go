package compare

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOutline(t *testing.T) {
	r := report()
	got := OutlineOf(r.Markdown())
	require.Equal(t, []string{
		"Things | qtests | peer | absent | floor: floor",
		"Things | fast: figure | ≤ 0.5 × peer",
		"Things | slow: figure | ≥ 1 × peer<br>≥ 1.5 × absent",
		`Things | a\|b: figure | —`,
	}, got)

	groups := []Group{*r.Groups[0].Group}
	for _, result := range r.Groups[0].Results {
		groups[0].Comparisons = append(groups[0].Comparisons, *result.Comparison)
	}
	require.Equal(t, got, Outline(groups), "it does not depend on what was measured")
}

// TestOutlineChanges shows that it does depend on all that is declared.
func TestOutlineChanges(t *testing.T) {
	declared := func() []Group {
		return []Group{{Name: "g", Comparisons: []Comparison{{
			Name: "c", Contestants: []Contestant{Ours(Work{}), Peer("peer", Work{}), Floor("floor", Work{})},
			Figures: []Figure{TimeOf(Times(1, "peer")), AllocationsOf()},
		}}}}
	}
	before := Outline(declared())
	require.Len(t, before, 3)
	for name, change := range map[string]func(g *Group, c *Comparison){
		"group":         func(g *Group, _ *Comparison) { g.Name = "h" },
		"comparison":    func(_ *Group, c *Comparison) { c.Name = "d" },
		"contestant":    func(_ *Group, c *Comparison) { c.Contestants[1].Name = "another" },
		"role":          func(_ *Group, c *Comparison) { c.Contestants[2].Role = RolePeer },
		"fewer figures": func(_ *Group, c *Comparison) { c.Figures = c.Figures[:1] },
		"figure":        func(_ *Group, c *Comparison) { c.Figures[1].Name = "memory" },
		"a new target":  func(_ *Group, c *Comparison) { c.Figures[1].Targets = []Target{Bound(1)} },
		"limit":         func(_ *Group, c *Comparison) { c.Figures[0].Targets = []Target{Times(2, "peer")} },
		"no target":     func(_ *Group, c *Comparison) { c.Figures[0].Targets = nil },
		"no comparison": func(g *Group, _ *Comparison) { g.Comparisons = nil },
	} {
		t.Run(name, func(t *testing.T) {
			groups := declared()
			change(&groups[0], &groups[0].Comparisons[0])
			require.NotEqual(t, before, Outline(groups))
		})
	}
}
