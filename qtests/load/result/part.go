package result

import (
	"time"

	"github.com/go-qtests/qtests/qtests/load/internal/sketch"
)

// A Part says that a result is one of the parts of a run, and has what else Merge needs to put the
// parts together without loss.
type Part struct {
	Index int `json:"index"` // from 1; 0 of what Merge returns
	Of    int `json:"of"`    // how many parts there are
	// Whole says that every part ran all of the scenario, as under a fake clock. Such parts are equal.
	Whole bool `json:"whole,omitempty"`
	// Run names the run among those of a process.
	Run string `json:"run,omitempty"`
	// Plan is a digest of what has to be the same in all parts: steps, weights, thresholds and limits.
	Plan string `json:"plan"`
	// Qtests is the version of this module, and Bounds the range and precision of histograms.
	Qtests string `json:"qtests"`
	Bounds string `json:"bounds"`
	// Begin is the common start of the parts. ClockOff is how far the clock of this part was ahead of the
	// clock of the directory in which the parts met.
	Begin    time.Time     `json:"begin,omitzero"`
	ClockOff time.Duration `json:"clock_off_ns,omitempty"`
	// Until is when arrivals ended.
	Until time.Duration `json:"until_ns"`
	// Shortened says that a scale shortened the run, and did not thin it out.
	Shortened bool `json:"shortened,omitempty"`

	// HLog is the SHA-256 of the log of response times that the part leaves beside its result.
	HLog string `json:"hlog,omitempty"`

	// Thresholds are those of the scenario, which are judged when all parts are together. Windows has, for
	// each of their conditions over windows, what was counted in each window.
	Thresholds []string       `json:"thresholds"`
	Windows    [][]PartWindow `json:"windows,omitempty"`

	// Intervals are the response times of each interval of the timeline. Metrics, Steps and Tags have what
	// a MetricResult and a StepResult do not have.
	Intervals []sketch.Sketch `json:"intervals"`
	Metrics   []PartMetric    `json:"metrics,omitempty"`
	Steps     []PartCounts    `json:"steps"`
	Tags      []PartCounts    `json:"tags,omitempty"`
}

// A PartWindow is what a condition over windows counts in one of them: N of Of, or times.
type PartWindow struct {
	Window int        `json:"window"` // from 0
	N      int64      `json:"n,omitempty"`
	Of     int64      `json:"of,omitempty"`
	Times  *Histogram `json:"times,omitempty"`
}

// A PartMetric is when a metric of the scenario's own had its last value, and all values of a trend.
type PartMetric struct {
	At    time.Duration `json:"at_ns"`
	Trend sketch.Spread `json:"trend"`
}

// PartCounts are counts of a step or tag.
type PartCounts struct {
	Timeouts int64 `json:"timeouts,omitempty"`
	Retries  int64 `json:"retries,omitempty"`
	Denied   int64 `json:"denied,omitempty"`
}

// Bounds describes the range and the precision of every Histogram.
const Bounds = "1us..24h, 3 digits"
