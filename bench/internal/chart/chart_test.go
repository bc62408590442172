package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSVG(t *testing.T) {
	svg := SVG(Panel{Title: "time & memory", Label: "requests", Points: []Point{{"10⁴", 10, "10 ns"}, {"10⁵", 20, "20 ns"}, {"10⁶", -1, "<0"}}}, Panel{Title: "none"}, Panel{Title: "below"})
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err, svg)
	}
	require.Contains(t, svg, "time &amp; memory")
	require.Contains(t, svg, "time &amp; memory by requests: 10⁴: 10 ns, 10⁵: 20 ns")
	require.NotContains(t, svg, "NaN")
	require.Contains(t, svg, `width="800" height="520"`)
	require.Contains(t, svg, `translate(0 260)`)
}

// TestScale holds the height of a point to its share of the highest.
func TestScale(t *testing.T) {
	p := Panel{Points: []Point{{Y: 10}, {Y: 20}, {Y: 0}}}
	_, half := p.at(0)
	_, full := p.at(1)
	_, none := p.at(2)
	require.InDelta(t, top, full, 1e-9)
	require.InDelta(t, height-bottom, none, 1e-9)
	require.InDelta(t, (full+none)/2, half, 1e-9)
}

// TestSide keeps values off the lines that come down to their points or rise from them.
func TestSide(t *testing.T) {
	sides := func(ys ...float64) (all []string) {
		var p Panel
		for _, y := range ys {
			p.Points = append(p.Points, Point{Y: y})
		}
		for i := range p.Points {
			all = append(all, p.side(i))
		}
		return all
	}
	require.Equal(t, []string{"middle", "middle", "middle"}, sides(10, 10, 9.9), "flat")
	require.Equal(t, []string{"middle", "start", "middle"}, sides(100, 10, 5), "falls, and then hardly")
	require.Equal(t, []string{"middle", "end", "middle"}, sides(5, 10, 100), "rises late")
	require.Equal(t, []string{"middle", "end", "middle"}, sides(50, 10, 100), "a valley: off the steeper line")
	require.Equal(t, []string{"middle", "start", "middle"}, sides(100, 10, 50))
	require.Empty(t, sides())
}
