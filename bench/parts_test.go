package bench

import (
	"testing"

	"github.com/go-qtests/qtests/bench/internal/compare"
)

func parts() compare.Group {
	return compare.Group{
		Name: "parts",
		About: `What runs and monitors are made of. The histograms count durations up to a day with three digits, and the percentile is
the 99th of a million of them. The schedule is that of a ramp from 0 to 20,000/s in two hours, 72 million arrivals,
per arrival; the floor takes one square root for each. A threshold is read from text; and it is read, and evaluated at the
end of a run of one request. A scrape reads 1,000 series and evaluates 100 rules, of which every tenth aggregates rates;
the floor is to gather the series.`,
		Comparisons: []compare.Comparison{
			histogram("histogram: record", recordOurs, recordHDR),
			histogram("histogram: percentile", percentileOurs, percentileHDR),
			schedule(),
			ours("threshold: read", parseThreshold),
			ours("threshold: read and evaluated", evaluateThresholds),
			scrape(),
		},
	}
}

// ours is a comparison without anybody to compare with.
func ours(name string, start func(testing.TB) func(n int) error) compare.Comparison {
	return compare.Comparison{
		Name:        name,
		Contestants: []compare.Contestant{compare.Ours(compare.Timed(start))},
		Figures:     []compare.Figure{compare.TimeOf()},
	}
}
