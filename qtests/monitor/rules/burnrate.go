package rules

import (
	"fmt"
	"maps"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/internal/query"
)

// An SLO is a service level objective over a ratio of two counters.
type SLO struct {
	// Name begins the names of the rules.
	Name string
	// Errors and Total are selectors of counters, without a range:
	// requests_total{result="error"} and requests_total.
	Errors, Total string
	// Objective is the share of good events, between 0 and 1, both excluded: 0.999.
	Objective float64
	// By keeps apart what these labels keep apart; none is one ratio.
	By []string
	// Labels are added to every rule.
	Labels map[string]string
}

// burnRates are the windows of Google's Site Reliability Workbook, chapter 5, table 5-8,
// and one more pair between them. At a factor, the budget of 30 days is spent in 30 days
// divided by the factor. The short window ends the alert soon after the errors end.
var burnRates = []struct {
	factor      float64
	long, short string
	severity    string
}{
	{14.4, "1h", "5m", "page"},
	{6, "6h", "30m", "page"},
	{3, "1d", "2h", "ticket"},
	{1, "3d", "6h", "ticket"},
}

// BurnRate returns the multiwindow, multi-burn-rate rules of an SLO: four alerts. The
// name of each is the SLO's with a factor ("CheckoutBurnRate14.4"). An alert fires when
// the ratio of errors exceeds factor*(1-Objective) over both its windows: 1h and 5m, 6h
// and 30m, 1d and 2h, 3d and 6h. The first two have severity page, the others ticket.
func BurnRate(slo SLO) ([]monitor.Rule, error) {
	if err := slo.validate(); err != nil {
		return nil, err
	}
	var out []monitor.Rule
	for _, w := range burnRates {
		factor, objective := decimal(w.factor), decimal(slo.Objective)
		limit := fmt.Sprintf(" > %s * (1 - %s)", factor, objective)
		out = append(out, monitor.Rule{
			Name:     slo.Name + "BurnRate" + factor,
			Expr:     slo.ratio(w.long) + limit + " and " + slo.ratio(w.short) + limit,
			Severity: w.severity,
			Labels:   maps.Clone(slo.Labels),
			Summary:  fmt.Sprintf("{{ $value | humanizePercentage }} errors over %s: %s times what an objective of %s allows", w.long, factor, objective),
		})
	}
	return out, nil
}

func (slo SLO) validate() error {
	check := field.Check("rules: SLO")
	check.That(slo.Name != "", "Name", `""`, "is empty")
	check.That(slo.Objective > 0 && slo.Objective < 1, "Objective", slo.Objective, "is not between 0 and 1")
	check.Err("Errors", selects(slo.Errors))
	check.Err("Total", selects(slo.Total))
	return check.Result()
}

// selects returns an error unless a text is a selector without a range.
func selects(selector string) error {
	_, err := query.Parse("rate(" + selector + "[5m])")
	return err
}

// ratio is the expression of the share of errors over a window.
func (slo SLO) ratio(window string) string {
	by := ""
	if len(slo.By) > 0 {
		by = "by (" + strings.Join(slo.By, ", ") + ") "
	}
	return fmt.Sprintf("sum %s(rate(%s[%s])) / sum %s(rate(%s[%s]))", by, slo.Errors, window, by, slo.Total, window)
}
