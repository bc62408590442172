package result

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"time"

	hdrhistogram "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/go-qtests/qtests/internal/plaintext"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/internal/usercode"
)

// An HLogLine is one histogram of an HDR histogram log.
type HLogLine struct {
	Tag    string
	Start  time.Time // to the microsecond
	Length time.Duration
	// Histogram has the values of the line. HDR keeps buckets: a value is the largest that its bucket may
	// have, at most 0.1 % too high with three digits, and never over the largest of the line.
	Histogram Histogram
}

// maxHLogLine is the longest line that ReadHLog reads.
const maxHLogLine = 8 << 20

// ReadHLog reads an HDR histogram log (V1 to V3), one line after the other, so that a log of any length
// needs the memory of one histogram:
//
//	for line, err := range result.ReadHLog(file, 0) {
//		…
//	}
//
// unit is what the values count. With 0 it is the microsecond in a log that WriteHLog wrote, which says so
// in a comment, and the nanosecond, as in most tools, in any other. Times over 24 hours count as that. The
// text may be gzip or UTF-16. An error names the line and ends the reading.
func ReadHLog(in io.Reader, unit time.Duration) iter.Seq2[HLogLine, error] {
	return func(yield func(HLogLine, error) bool) {
		r := hlogReader{unit: unit}
		lines := bufio.NewScanner(plaintext.NewReader(in))
		lines.Buffer(nil, maxHLogLine)
		number := 0
		for lines.Scan() {
			number++
			line, ok, err := r.read(strings.TrimSpace(lines.Text()))
			if err != nil {
				yield(HLogLine{}, fmt.Errorf("load: hlog: line %d: %w", number, err))
				return
			}
			if ok && !yield(line, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(HLogLine{}, fmt.Errorf("load: hlog: line %d: %w", number+1, err))
		}
	}
}

// An hlogReader keeps what comments say about the lines after them.
type hlogReader struct {
	unit        time.Duration
	start, base float64 // seconds since 1970
	based       bool    // base is known
}

// read reads a line; ok says that it has a histogram.
func (r *hlogReader) read(s string) (line HLogLine, ok bool, err error) {
	switch {
	case s == "" || strings.HasPrefix(s, `"StartTimestamp"`):
		return line, false, nil
	case s[0] == '#':
		return line, false, r.comment(s)
	}
	if rest, tagged := strings.CutPrefix(s, "Tag="); tagged {
		if line.Tag, s, ok = strings.Cut(rest, ","); !ok {
			return line, false, errors.New("nothing follows the tag")
		}
	}
	fields := strings.Split(s, ",")
	if len(fields) != 4 {
		return line, false, fmt.Errorf("%d fields, and not the start, the length, the maximum and the histogram", len(fields))
	}
	start, err := seconds(fields[0])
	if err != nil {
		return line, false, err
	}
	length, err := seconds(fields[1])
	if err != nil {
		return line, false, err
	}
	line.Start, line.Length = r.instant(start), duration(length)
	err = r.decode(fields[3], &line.Histogram)
	return line, err == nil, err
}

// comment takes the start and the base of the times, and the unit of our own logs.
func (r *hlogReader) comment(s string) (err error) {
	if text, ok := strings.CutPrefix(s, "#[StartTime: "); ok {
		number, _, _ := strings.Cut(text, " ")
		r.start, err = seconds(number)
	} else if text, ok := strings.CutPrefix(s, "#[BaseTime: "); ok {
		number, _, _ := strings.Cut(text, " ")
		r.base, err = seconds(number)
		r.based = true
	} else if r.unit == 0 && strings.Contains(s, unitComment) {
		r.unit = time.Microsecond
	}
	return err
}

// instant is when a line starts. Without a base, a number that is over a year before the start of the log
// counts from that start.
func (r *hlogReader) instant(at float64) time.Time {
	const year = 365 * 24 * 3600
	switch {
	case r.based:
		at += r.base
	case at < r.start-year:
		at += r.start
	}
	return time.UnixMicro(int64(math.Round(at * 1e6))).UTC()
}

func seconds(s string) (float64, error) {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || !(x >= 0 && x < 1e11) {
		return 0, fmt.Errorf("%q is no number of seconds", text.Clip(s, 40))
	}
	return x, nil
}

func duration(seconds float64) time.Duration {
	return time.Duration(min(math.Round(seconds*1e6), float64(math.MaxInt64/int64(time.Microsecond)))) * time.Microsecond
}

// decode reads a histogram. The library that does it is kept from ending the process.
func (r *hlogReader) decode(encoded string, into *Histogram) error {
	unit := r.unit
	if unit == 0 {
		unit = time.Nanosecond
	}
	var h *hdrhistogram.Histogram
	err := usercode.Call(func() (err error) {
		h, err = hdrhistogram.Decode([]byte(encoded))
		return err
	})
	if err != nil {
		return fmt.Errorf("histogram: %w", err)
	}
	largest := h.Max()
	for _, bar := range h.Distribution() {
		if bar.Count <= 0 {
			continue
		}
		if err := into.recordMany(scaled(min(bar.To, largest), unit), uint64(bar.Count)); err != nil {
			return err
		}
	}
	return nil
}

// scaled is a number of units, at most LongestDuration.
func scaled(value int64, unit time.Duration) time.Duration {
	if value > int64(LongestDuration/unit) {
		return LongestDuration
	}
	return time.Duration(value) * unit
}

// recordMany counts a duration many times, if the sums have room.
func (h *Histogram) recordMany(d time.Duration, n uint64) error {
	v := (uint64(max(d, 0)) + uint64(time.Microsecond/2)) / uint64(time.Microsecond)
	over, product := bits.Mul64(v, n)
	_, carry := bits.Add64(h.sum, product, 0)
	if over != 0 || carry != 0 || n > math.MaxInt64-h.total {
		return errors.New("histogram: more values than can be added up")
	}
	h.record(v, n)
	return nil
}
