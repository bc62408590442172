package compare

import (
	"fmt"
	"strings"
)

const appendixPreface = `## Profiles

Ours, alone, for every comparison in which a target is missed or a peer is ahead. The figure that is not as it should be
chooses what the profile is of: the processor time, the objects that were allocated, or the memory that was in use when it
was most. Below the commands, which are for the directory ` + "`bench`" + `, it is shown twice: first the %d functions that spend most
themselves (flat), many of them the runtime's; then the %d of qtests that spend most together with what they call
(cum), where *flat* includes what they spend in functions that are not of qtests.
`

// fewSamples is less than can be trusted to a tenth or so of the largest shares.
const fewSamples = 200

// appendix is the profiles.
func (r *Report) appendix(w *strings.Builder) {
	begun := false
	for _, g := range r.Groups {
		for _, result := range g.Results {
			if len(result.Profiles) == 0 {
				continue
			}
			if !begun {
				begun = true
				fmt.Fprintf(w, appendixPreface, topFunctions, topFunctions)
			}
			fmt.Fprintf(w, "\n### %s: %s\n", title(g.Name), result.Name)
			pattern := benchmarkOf(g.Name, result.Name)
			for _, p := range result.Profiles {
				r.profile(w, p, pattern)
			}
		}
	}
}

func (r *Report) profile(w *strings.Builder, p Profile, pattern string) {
	fmt.Fprintf(w, "\n**%s**, because of *%s*.%s\n", kinds[p.Kind].name, strings.Join(p.Figures, "*, *"), p.basis())
	fmt.Fprintf(w, "\n```sh\n%s\n", fmt.Sprintf(r.Profiled, p.Kind.File(), quoted(pattern)))
	for _, v := range p.Views {
		fmt.Fprintf(w, "%s\n", v.Command)
	}
	w.WriteString("```\n")
	for _, v := range p.Views {
		fmt.Fprintf(w, "\n```text\n%s\n```\n", v.Text)
	}
}

// basis says what a profile rests on, where that is not a single one with samples
// enough.
func (p Profile) basis() string {
	text := ""
	if p.Taken > 1 {
		text = fmt.Sprintf(" It is the sum of %d such profiles.", p.Taken)
	}
	if p.Kind == ProcessorTime && p.Samples < fewSamples {
		text += fmt.Sprintf(" There are %d samples only: the shares are rough.", p.Samples)
	}
	return text
}
