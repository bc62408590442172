package result

import (
	"math"
	"sort"
	"time"
)

const (
	maxHeatColumns = 120
	heatRows       = 20
)

// Heat is a map of the response times: how many there were in each interval, by how long they took.
type Heat struct {
	Width  time.Duration   `json:"width_ns,omitempty"` // of a column
	Tops   []time.Duration `json:"tops_ns,omitempty"`  // the longest of each row, rising by one factor
	Counts [][]int64       `json:"counts,omitempty"`   // by column and row
}

// HeatOf makes a map, of at most 120 columns and 20 rows, of the response times of intervals of a width. It is empty if nothing ended, or all took no time.
func HeatOf(buckets [][]Bucket, width time.Duration) (h Heat) {
	if h.Tops = heatTops(buckets); len(h.Tops) == 0 {
		return Heat{}
	}
	rows := len(h.Tops)
	merged := (len(buckets) + maxHeatColumns - 1) / maxHeatColumns
	h.Width = time.Duration(merged) * width
	for i, all := range buckets {
		if i%merged == 0 {
			h.Counts = append(h.Counts, make([]int64, rows))
		}
		for _, b := range all {
			row := sort.Search(rows-1, func(k int) bool { return h.Tops[k] >= b.Top })
			h.Counts[len(h.Counts)-1][row] += b.Count
		}
	}
	return h
}

// heatTops are the longest times of the rows, none if nothing ended, or all took no time.
func heatTops(buckets [][]Bucket) (tops []time.Duration) {
	least, most := time.Duration(math.MaxInt64), time.Duration(0)
	for _, all := range buckets {
		for _, b := range all {
			least, most = min(least, b.Top), max(most, b.Top)
		}
	}
	if most == 0 {
		return nil
	}
	least = max(least, time.Microsecond)
	rows := heatRows
	if most < 2*least {
		rows = 1
	}
	for k := range rows {
		tops = append(tops, time.Duration(float64(least)*math.Pow(float64(most)/float64(least), float64(k+1)/float64(rows))).Round(time.Microsecond))
	}
	tops[rows-1] = most
	return tops
}
