package record

import (
	"math"
	"sort"
	"time"

	"github.com/go-qtests/qtests/qtests/load/result"
)

const (
	maxHeatColumns = 120
	heatRows       = 20
)

// heat is the map of the response times: a column for some intervals, a row for some buckets, whose tops grow by one factor.
func (l *timeline) heat() result.Heat {
	least, most := uint64(math.MaxUint64), uint64(0)
	for i := range l.points {
		if s := &l.points[i].sketch; s.total > 0 {
			least, most = min(least, s.min), max(most, s.max)
		}
	}
	if most == 0 {
		return result.Heat{} // nothing ended, or all took no time
	}
	least = max(least, 1)
	h := result.Heat{}
	rows := heatRows
	if most/least < 2 {
		rows = 1
	}
	for k := range rows {
		top := float64(least) * math.Pow(float64(most)/float64(least), float64(k+1)/float64(rows))
		h.Tops = append(h.Tops, micros(uint64(math.Ceil(top))))
	}
	h.Tops[rows-1] = micros(most)
	merged := (len(l.points) + maxHeatColumns - 1) / maxHeatColumns
	h.Width = time.Duration(merged) * l.width
	for i := range l.points {
		if i%merged == 0 {
			h.Counts = append(h.Counts, make([]int64, rows))
		}
		s := &l.points[i].sketch
		column := h.Counts[len(h.Counts)-1]
		for b, n := range s.counts {
			if n > 0 {
				top := micros(s.top(b))
				row := sort.Search(rows-1, func(k int) bool { return h.Tops[k] >= top })
				column[row] += int64(n)
			}
		}
	}
	return h
}
