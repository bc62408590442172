package result

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/go-qtests/qtests/internal/plaintext"
)

// MaxSummaryBytes is how long the JSON form of a Summary is at most.
const MaxSummaryBytes = 10 << 10

// A Summary is what is kept of a Result to compare later ones with: its figures, without histograms. Its JSON form, one figure a line so that
// a review shows what changed, has at most 10 KB: of very many steps it has the first ones.
type Summary struct {
	Version  int     `json:"version"`
	Scenario string  `json:"scenario"`
	Profile  string  `json:"profile"`
	Seed     uint64  `json:"seed"`
	Scale    float64 `json:"scale"`
	Real     bool    `json:"real,omitempty"` // it ran in real time

	Figures []Figure `json:"figures"`
	// Interval, P99 and Rate are curves for the report: the response times and the requests that ended per second, in at most 100 intervals.
	Interval time.Duration `json:"interval_ns"`
	P99      []float32     `json:"p99_s"` // 0 where nothing ended
	Rate     []float32     `json:"rate"`
}

// A Figure is one number of a Summary. Low and High bound it with 99 % confidence, as far as one run can tell.
type Figure struct {
	Name  string  `json:"name"` // "p(99)", "errors", "step(checkout).p(95)", …
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// maxSummaryCurve is how many intervals the curves of a Summary have.
const maxSummaryCurve = 100

// Summary returns what is kept of r. real says that it ran in real time.
func (r *Result) Summary(real bool) Summary {
	s := Summary{Version: Version, Scenario: r.Scenario, Profile: r.Profile, Seed: r.Seed, Scale: r.Scale, Real: real}
	s.times("", &r.Response)
	s.add("rate", r.Rate(), poisson(r.Finished, r.Length()))
	s.add("goodput", r.Goodput(), poisson(r.Finished-r.Errors, r.Length()))
	for _, x := range []struct {
		name  string
		n, of int64
	}{
		{"errors", r.Errors, r.Finished}, {"dropped", r.Dropped, r.Scheduled}, {"interrupted", r.Interrupted, r.Started}, {"timeouts", r.Timeouts, r.Finished},
		{"retries", r.Retries, r.Started},
	} {
		s.share(x.name, x.n, x.of)
	}
	for _, step := range r.Steps {
		if len(r.Steps) > 1 {
			s.times("step("+step.Name+").", &step.Response)
			s.share("step("+step.Name+").errors", step.Errors, step.Finished)
		}
	}
	for _, c := range r.Checks {
		s.share("check("+c.Name+").failed", c.Total-c.Passed, c.Total)
	}
	s.curves(r)
	return s
}

func (s *Summary) add(name string, value, spread float64) {
	s.Figures = append(s.Figures, Figure{name, rounded(value), rounded(max(value-spread, 0)), rounded(value + spread)})
}

// sure is the quantile of the normal distribution for 99 % on both sides.
const sure = 2.576

// poisson is how far a rate may be from its mean.
func poisson(n int64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return sure * math.Sqrt(float64(n)) / d.Seconds()
}

// share adds n/of, where there is anything.
func (s *Summary) share(name string, n, of int64) {
	if of <= 0 {
		return
	}
	p := float64(n) / float64(of)
	s.add(name, p, sure*math.Sqrt(p*(1-min(p, 1)))/math.Sqrt(float64(of))+1/float64(of))
}

// times adds percentiles and the mean, in seconds. The bounds of a percentile are those of its rank.
func (s *Summary) times(of string, h *Histogram) {
	n := h.Count()
	if n == 0 {
		return
	}
	for _, p := range []float64{50, 95, 99} {
		rank, spread := float64(RankOf(p, uint64(n))), sure*math.Sqrt(float64(n)*p/100*(1-p/100))
		at := func(rank float64) float64 {
			switch {
			case rank < 1:
				return 0
			case rank > float64(n): // so few values bound it by nothing
				return LongestDuration.Seconds()
			}
			return rounded(h.AtRank(int64(rank)).Seconds())
		}
		s.Figures = append(s.Figures, Figure{fmt.Sprintf("%sp(%g)", of, p), at(rank), at(math.Floor(rank - spread)), at(math.Ceil(rank + spread))})
	}
	mean, variance := h.Moments()
	s.add(of+"avg", mean/1e9, sure*math.Sqrt(variance/float64(n))/1e9)
}

// rounded keeps six digits.
func rounded(x float64) float64 {
	if x == 0 {
		return 0
	}
	digits := math.Pow(10, 5-math.Floor(math.Log10(math.Abs(x))))
	return math.Round(x*digits) / digits
}

func (s *Summary) curves(r *Result) {
	merged := max((len(r.Timeline)+maxSummaryCurve-1)/maxSummaryCurve, 1)
	s.Interval = time.Duration(merged) * r.Interval
	for i := 0; i < len(r.Timeline); i += merged {
		finished, p99 := int64(0), time.Duration(0)
		for _, p := range r.Timeline[i:min(i+merged, len(r.Timeline))] {
			finished += p.Finished
			p99 = max(p99, p.P99)
		}
		s.P99 = append(s.P99, float32(rounded(p99.Seconds())))
		s.Rate = append(s.Rate, float32(rounded(float64(finished)/s.Interval.Seconds())))
	}
}

// WriteJSON writes the summary, with a final newline.
func (s Summary) WriteJSON(w io.Writer) error {
	text, err := s.encode()
	for err == nil && len(text) > MaxSummaryBytes && len(s.Figures) > 1 {
		s.Figures = s.Figures[:len(s.Figures)*3/4]
		text, err = s.encode()
	}
	if err == nil {
		_, err = w.Write(text)
	}
	if err != nil {
		return fmt.Errorf("load: summary: %w", err)
	}
	return nil
}

// encode has a line for each figure, and one for all else.
func (s Summary) encode() ([]byte, error) {
	figures := s.Figures
	s.Figures = []Figure{}
	head, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	const mark = `"figures":[` // once: within a text, quotes are escaped
	before, after, _ := bytes.Cut(head, []byte(mark))
	out := append(bytes.Clone(before), mark...)
	for k, f := range figures {
		line, err := json.Marshal(f)
		if err != nil {
			return nil, err
		}
		if k > 0 {
			out = append(out, ',')
		}
		out = append(append(out, '\n'), line...)
	}
	return append(append(append(out, '\n'), after...), '\n'), nil
}

// ReadSummary reads what Summary.WriteJSON wrote, gzip or UTF-16 as well. Another version, a longer text, and a form that no summary has are errors.
func ReadSummary(in io.Reader) (s Summary, err error) {
	text, err := io.ReadAll(io.LimitReader(plaintext.NewReader(in), MaxSummaryBytes+1))
	switch {
	case err != nil:
	case len(text) > MaxSummaryBytes:
		err = fmt.Errorf("longer than %d bytes", MaxSummaryBytes)
	default:
		err = json.Unmarshal(text, &s)
	}
	if err == nil {
		err = s.check()
	}
	if err != nil {
		return Summary{}, fmt.Errorf("load: summary: %w", err)
	}
	return s, nil
}

func (s Summary) check() error {
	switch {
	case s.Version != Version:
		return fmt.Errorf("is of version %d, and this qtests reads version %d", s.Version, Version)
	case len(s.P99) != len(s.Rate) || len(s.P99) > maxSummaryCurve || len(s.P99) > 0 && s.Interval <= 0:
		return fmt.Errorf("curves of %d and %d intervals of %v", len(s.P99), len(s.Rate), s.Interval)
	}
	for _, f := range s.Figures {
		if f.Name == "" || !(f.Low <= f.Value && f.Value <= f.High) {
			return fmt.Errorf("figure %q: %v is not between %v and %v", f.Name, f.Value, f.Low, f.High)
		}
	}
	return nil
}
