// Package process reads the process that runs the test: its heap, its goroutines, the garbage
// collector, the scheduler and its memory.
package process

import (
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// A Collector collects the readings. They depend on the machine and the moment, also where
// time is fake. The names of its metrics begin with history.RealPrefix.
type Collector struct {
	samples []metrics.Sample
	descs   []*prometheus.Desc
	limit   float64
}

// readings are the metrics, in the order in which Collect fills them.
var readings = []struct {
	name, help string
	kind       prometheus.ValueType
	source     string
}{

	{"heap_bytes", "Bytes of heap memory in live and not yet swept objects.", prometheus.GaugeValue, "/memory/classes/heap/objects:bytes"},

	{"goroutines", "Goroutines.", prometheus.GaugeValue, "/sched/goroutines:goroutines"},

	{"gc_cycles_total", "Completed GC cycles.", prometheus.CounterValue, "/gc/cycles/total:gc-cycles"},

	{"alloc_bytes_total", "Bytes allocated on the heap.", prometheus.CounterValue, "/gc/heap/allocs:bytes"},

	{"gc_pause_p99_seconds", "99th percentile of the stop-the-world pauses of the GC so far.", prometheus.GaugeValue, "/sched/pauses/total/gc:seconds"},

	{"sched_latency_p99_seconds", "99th percentile of the time goroutines waited to run so far.", prometheus.GaugeValue, "/sched/latencies:seconds"},

	{"memory_used_bytes", "Memory mapped by the Go runtime, without what it gave back.", prometheus.GaugeValue, "/memory/classes/total:bytes"},

	{"memory_limit_bytes", "The limit that GOMEMLIMIT sets, otherwise the memory of the machine.", prometheus.GaugeValue, ""},
}

// NewCollector returns a collector for this process.
func NewCollector() *Collector {
	s := &Collector{limit: memoryLimit()}
	for _, r := range readings {
		s.samples = append(s.samples, metrics.Sample{Name: r.source})
		s.descs = append(s.descs, prometheus.NewDesc(history.RealPrefix+r.name, r.help+" A reading of the real process.", nil, nil))
	}
	return s
}

// Describe implements prometheus.Collector.
func (s *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range s.descs {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (s *Collector) Collect(ch chan<- prometheus.Metric) {
	samples := make([]metrics.Sample, len(s.samples))
	copy(samples, s.samples)
	metrics.Read(samples[:len(samples)-1])
	for i, r := range readings {
		v := s.value(samples[i].Value)
		if r.name == "memory_used_bytes" {
			v -= released()
		}
		ch <- prometheus.MustNewConstMetric(s.descs[i], r.kind, v)
	}
}

// value is the reading as one number. The limit of the memory is none of the runtime's.
func (s *Collector) value(x metrics.Value) float64 {
	switch x.Kind() {
	case metrics.KindUint64:
		return float64(x.Uint64())
	case metrics.KindFloat64Histogram:
		return percentile99(x.Float64Histogram())
	case metrics.KindFloat64:
		return x.Float64()
	}
	return s.limit
}

func released() float64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(s)
	return float64(s[0].Value.Uint64())
}

// percentile99 is the upper bound of the bucket of the nearest rank.
func percentile99(h *metrics.Float64Histogram) float64 {
	var total uint64
	for _, n := range h.Counts {
		total += n
	}
	rank := uint64(math.Ceil(0.99 * float64(total)))
	var seen uint64
	for i, n := range h.Counts {
		if seen += n; seen >= rank && total > 0 {
			if upper := h.Buckets[i+1]; !math.IsInf(upper, 1) {
				return upper
			}
			return h.Buckets[i]
		}
	}
	return 0
}

// memoryLimit returns GOMEMLIMIT, the memory of the machine, or infinity where
// neither is known.
func memoryLimit() float64 {
	if limit := debug.SetMemoryLimit(-1); limit < math.MaxInt64 {
		return float64(limit)
	}
	return machineMemory()
}

func machineMemory() float64 {
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return math.Inf(1)
	}
	return memTotal(string(data))
}

// memTotal reads the total from the text of /proc/meminfo.
func memTotal(text string) float64 {
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == "MemTotal:" {
			if kib, err := strconv.ParseFloat(f[1], 64); err == nil {
				return kib * 1024
			}
		}
	}
	return math.Inf(1)
}
