package traffic

import (
	"errors"
	"time"
)

// A Stage is a piece of a profile: its level goes from From to To within For, evenly. A jump is a stage
// that begins at another level than the one before it ended at.
type Stage struct {
	From, To float64 // arrivals per unit, or users; with Amplify
	For      time.Duration
}

// Stages returns the stages of a profile of even rates or of users, and the unit of its rates. The
// error says why a profile is not made of such stages: a replay, bursts, a wave, drawn gaps.
func (p Profile) Stages() (stages []Stage, unit time.Duration, err error) {
	switch {
	case p.Err() != nil:
		return nil, 0, p.Err()
	case p.replay != nil:
		return nil, 0, errors.New("it is a replay of a log")
	case p.bursts != nil:
		return nil, 0, errors.New("it has bursts, which come at one instant")
	case p.gaps.random():
		return nil, 0, errors.New("its gaps are drawn (" + p.gaps.name + ")")
	}
	for _, s := range p.pieces() {
		if s.wave.amplitude != 0 {
			return nil, 0, errors.New("it has a wave")
		}
		stages = append(stages, Stage{s.from * p.factor(), s.to * p.factor(), s.d})
	}
	if len(stages) == 0 { // users with a budget and no time
		stages = []Stage{{p.level * p.factor(), p.level * p.factor(), p.Duration()}}
	}
	return stages, p.unit, nil
}
