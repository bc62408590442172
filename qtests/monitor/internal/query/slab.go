package query

// A slab is where the vectors of one evaluation are; the next one uses it again.
type slab struct{ points []Point }

// vector returns an empty vector with a place for n points. It is its taker's until the
// slab is used again.
func (s *slab) vector(n int) []Point {
	have := len(s.points)
	if have+n > cap(s.points) {
		have, s.points = 0, make([]Point, 0, 2*cap(s.points)+n)
	}
	s.points = s.points[:have+n]
	return s.points[have : have : have+n]
}
