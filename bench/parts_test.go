package bench

import "github.com/go-qtests/qtests/bench/internal/compare"

func parts() compare.Group {
	return compare.Group{
		Name: "parts",
		About: `What runs and monitors are made of. The histograms are given durations up to 100 ms and count up to a day with three
digits. hdrhistogram-go is there twice: it counts microseconds, as ours does, so that the same is kept, and the target is for that; and nanoseconds, in
which it takes a duration as it is. The percentile is the 99th of a million. The schedule is a ramp from 0 to 20,000/s in two hours, 72 million
arrivals, per arrival; the floor takes one square root for each. A scrape reads 1,000 series and evaluates 100 rules; every tenth aggregates rates; the floor is to gather the series.`,
		Comparisons: []compare.Comparison{
			histogram("histogram: record", recordOurs, recordHDR),
			histogram("histogram: percentile", percentileOurs, percentileHDR),
			schedule(),
			scrape(),
		},
	}
}
