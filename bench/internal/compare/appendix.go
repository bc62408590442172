package compare

import (
	"fmt"
	"strings"
)

const profilesPreface = `## Profiles

Ours, alone, for every comparison in which a target is missed or a peer is ahead: the profile of the processors, or that of
the heap where memory is what is compared. Each is the %d functions with the largest share (flat), by
` + "`go tool pprof -top`" + `, below the command that takes one in the directory ` + "`bench`" + `.
`

// profiles is the appendix.
func (r *Report) profiles(w *strings.Builder) {
	begun := false
	for _, g := range r.Groups {
		for _, result := range g.Results {
			if result.Top == "" {
				continue
			}
			if !begun {
				begun = true
				fmt.Fprintf(w, profilesPreface, topFunctions)
			}
			command := r.Profiled
			if result.ours().Profile != nil {
				command = r.ProfiledOutside
			}
			command = fmt.Sprintf(command, Pattern("BenchmarkRows", g.Name, result.Name, OursName))
			fmt.Fprintf(w, "\n### %s: %s\n\n`%s`\n\n```text\n%s\n```\n", title(g.Name), result.Name, command, result.Top)
		}
	}
}
