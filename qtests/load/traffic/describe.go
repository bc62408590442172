package traffic

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

const (
	// A profile with more stages than maxStages shows the first and the last ones only, because
	// the line is part of every result.
	maxStages  = 12
	shownFirst = 6
	shownLast  = 2
)

// String describes the profile in a line: "200/s for 1h0m0s". Of very many stages it shows the first
// and the last ones.
func (p Profile) String() string {
	parts := p.stageTexts()
	if p.heading != "" {
		parts = []string{p.heading}
	}
	note := func(ok bool, format string, args ...any) {
		if ok {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	if p.replay != nil {
		note(p.replay.moved, "from %s", p.replay.origin.Format(time.DateTime))
	}
	if p.replay != nil && p.longer != 0 { // shortened, at the rates that it had
		p.speed, p.amplify = p.speedFactor()*p.longer, p.factor()/p.longer
	}
	note(rounded(p.speedFactor()) != "1", "speed ×%s", rounded(p.speedFactor()))
	note(p.gaps.random(), "%s gaps", p.gaps.name)
	note(p.budget > 0, "at most %s requests", text.Grouped(p.budget))
	note(p.each > 0, "%s requests each", text.Grouped(p.each))
	note(rounded(p.factor()) != "1", "×%s", rounded(p.factor()))
	note(p.longer != 0, "×%s as long", rounded(p.longer))
	if len(parts) == 0 {
		return "empty"
	}
	return strings.Join(parts, ", ")
}

func (p Profile) stageTexts() (out []string) {
	if p.bursts != nil && p.bursts.length > 0 {
		return []string{fmt.Sprintf("bursts of %d every %v for %v", p.bursts.size, p.bursts.every, p.bursts.length)}
	}
	pieces := p.pieces()
	for i := 0; i < len(pieces); i++ {
		if left := len(pieces) - i; len(pieces) > maxStages && i == shownFirst {
			out = append(out, fmt.Sprintf("… and %s more stages …", text.Grouped(int64(left-shownLast))))
			i = len(pieces) - shownLast
		}
		out = append(out, p.stageText(pieces[i]))
	}
	return out
}

func (p Profile) stageText(s piece) string {
	switch {
	case s.wave.amplitude != 0:
		return fmt.Sprintf("%s±%s%s, a wave of %v, for %v", text.Number(s.from), text.Number(s.wave.amplitude), p.per(), s.wave.period, s.d)
	case s.from == s.to:
		return fmt.Sprintf("%s for %v", p.amount(s.from), s.d)
	}
	return fmt.Sprintf("%s to %s in %v", p.amount(s.from), p.amount(s.to), s.d)
}

func (p Profile) amount(level float64) string {
	if p.kind == Closed {
		return text.Number(level) + " users"
	}
	return text.Number(level) + p.per()
}

// rounded shows a product of factors without the last bits of binary fractions.
func rounded(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }
