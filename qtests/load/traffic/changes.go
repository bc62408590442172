package traffic

import "time"

// A Change is one user who comes or goes.
type Change struct {
	At    time.Duration // offset
	User  int           // number of the user, from 1
	Comes bool          // or else goes
}

// Changes tells, in order, who comes and goes: user i is there while the number of users, rounded, is
// at least i.
type Changes struct {
	pieces []piece
	factor float64
	start  time.Duration
	users  int
	// entered says that the jump to the level of the first piece is done.
	entered bool
}

// Changes returns who comes and goes in a closed profile, whose Err is nil.
func (p Profile) Changes() *Changes {
	pieces := p.pieces()
	if len(pieces) == 0 {
		pieces = []piece{{from: p.level, to: p.level, d: p.Duration()}}
	}
	return &Changes{pieces: pieces, factor: p.factor()}
}

// scaledUsers is a number of users times a factor. If there were any, one at least remains.
func scaledUsers(level, factor float64) float64 {
	if level > 0 && factor < 1 {
		return max(level*factor, min(level, 1))
	}
	return level * factor
}

// Next returns the next change, or false if there is none.
func (c *Changes) Next() (Change, bool) {
	for len(c.pieces) > 0 {
		p := c.pieces[0]
		from, to := scaledUsers(p.from, c.factor), scaledUsers(p.to, c.factor)
		if n := roundUsers(from); n != c.users && !c.entered {
			return c.step(n, c.start), true // a jump
		}
		c.entered = true
		if n := roundUsers(to); n != c.users {
			level := float64(c.users) + 0.5 // at which the number changes
			if n < c.users {
				level--
			}
			x := min(max((level-from)/(to-from), 0), 1)
			return c.step(n, c.start+time.Duration(x*float64(p.d))), true
		}
		c.start += p.d
		c.pieces, c.entered = c.pieces[1:], false
	}
	return Change{}, false
}

// step is the change by one user towards n.
func (c *Changes) step(n int, at time.Duration) Change {
	if n > c.users {
		c.users++
		return Change{at, c.users, true}
	}
	c.users--
	return Change{at, c.users + 1, false}
}

func roundUsers(level float64) int { return int(level + 0.5) }
