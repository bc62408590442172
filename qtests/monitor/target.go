package monitor

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"

	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// ErrDown is the error of the scrape of a target that [Monitor.Down] has taken down.
var ErrDown = errors.New("monitor: the target is down: connection refused")

// A Target is a gatherer as Prometheus scrapes one. All its series have the labels job
// and instance and those of Labels. Beside them each scrape writes, with these labels,
// what Prometheus writes: up, scrape_duration_seconds, scrape_samples_scraped and
// scrape_samples_post_metric_relabeling.
//
// Where the gatherer brings a label of that name itself, the target's counts and the
// other is called exported_job (or exported_exported_job, if that is there as well). With
// HonorLabels it is the other way round: the gatherer's label counts, and one that is
// there and empty removes the target's.
type Target struct {
	Job, Instance string
	Labels        map[string]string
	HonorLabels   bool
	Gatherer      prometheus.Gatherer
}

// labels are those that the target's series have.
func (t Target) labels() history.Labels {
	return history.FromMap(t.Labels).With("job", t.Job).With("instance", t.Instance)
}

func (t Target) String() string { return "target " + t.Job + " " + t.Instance }

// check reports the fields that have no meaning; before are the targets before this one.
func (t Target) check(check *field.Checker, i int, before []Target) {
	name := fmt.Sprintf("Targets[%d]", i)
	check.That(t.Job != "", name+".Job", `""`, "is empty")
	check.That(t.Instance != "", name+".Instance", `""`, "is empty")
	check.That(t.Gatherer != nil, name+".Gatherer", "nil", "is no gatherer")
	for _, label := range slices.Sorted(maps.Keys(t.Labels)) {
		valid := model.UTF8Validation.IsValidLabelName(label) && label != history.NameLabel && label != "job" && label != "instance"
		check.That(valid, name+".Labels", label, "cannot be a label of a target")
	}
	again := slices.ContainsFunc(before, func(x Target) bool { return x.labels().Compare(t.labels()) == 0 })
	check.That(!again, name, t.labels().String(), "is there twice")
}

// attach returns the labels of a series of the target, from those that the gatherer
// brought with it.
func (t Target) attach(pairs []*dto.LabelPair, own history.Labels) history.Labels {
	brought := map[string]string{}
	for _, l := range pairs {
		brought[l.GetName()] = l.GetValue()
	}
	out := maps.Clone(brought)
	for _, l := range own {
		if _, there := brought[l.Name]; !there || !t.HonorLabels {
			out[l.Name] = l.Value
		}
	}
	if !t.HonorLabels {
		t.export(out, brought, own)
	}
	return history.FromMap(out)
}

// export puts the labels that the target's took the place of under other names, the
// shorter ones first, as Prometheus does.
func (Target) export(out, brought map[string]string, own history.Labels) {
	taken := slices.DeleteFunc(slices.Clone(own), func(l history.Label) bool { return brought[l.Name] == "" })
	slices.SortStableFunc(taken, func(a, b history.Label) int { return len(a.Name) - len(b.Name) })
	for _, l := range taken {
		name := "exported_" + l.Name
		for out[name] != "" {
			name = "exported_" + name
		}
		out[name] = brought[l.Name]
	}
}

// A scrapeReport is the series that Prometheus writes about each scrape of a target.
type scrapeReport struct{ up, duration, samples, relabelled *history.Series }

// all returns the series with their names.
func (r *scrapeReport) all() map[string]**history.Series {
	return map[string]**history.Series{
		"up": &r.up, "scrape_duration_seconds": &r.duration, "scrape_samples_scraped": &r.samples, "scrape_samples_post_metric_relabeling": &r.relabelled,
	}
}
