package dashboard

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// String returns the dashboard as text.
func (d Dashboard) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s after %v", strings.ToUpper(string(d.Health)), d.Uptime)
	for i, why := range d.Reasons {
		fmt.Fprintf(&b, "%s%s", [...]string{": ", "; "}[min(i, 1)], why)
	}
	b.WriteString("\n")
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "requests\t%s\terrors\t%s\tin flight\t%s\n", figure(d.Requests), figure(d.Errors), figure(d.InFlight))
	fmt.Fprintf(w, "rate\t%s/s\terror rate\t%s/s\n", figure(d.Rate), figure(d.ErrorRate))
	fmt.Fprintf(w, "p50\t%s\tp90\t%s\tp95\t%s\tp99\t%s\n", span(d.P50), span(d.P90), span(d.P95), span(d.P99))
	for _, p := range d.Pools {
		fmt.Fprintf(w, "pool %s\t%v of %v in use\t%v idle\t%v waiting\n", p.Name, p.InUse, p.Max, p.Idle, p.Waiters)
	}
	for _, x := range d.Breakers {
		fmt.Fprintf(w, "breaker %s\t%s\t%v calls\t%v rejected\n", x.Name, x.State, x.Calls, x.Rejected)
	}
	for _, a := range d.Alerts {
		fmt.Fprintf(w, "alert %s\t%s\t%s\n", a.Name, a.State, a.Annotations["summary"])
	}
	fmt.Fprintf(w, "scrapes\t%d\terrors\t%d\tseries\t%d\n", d.Scrapes, d.ScrapeErrors, d.Series)
	_ = w.Flush() // a Builder takes everything
	return b.String()
}

// figure writes a number with up to four digits behind the point.
func figure(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return strconv.FormatFloat(math.Round(v*1e4)/1e4, 'g', -1, 64)
}

// span writes seconds as a duration, to four digits.
func span(seconds float64) string {
	if math.IsNaN(seconds) || math.IsInf(seconds, 0) {
		return "–"
	}
	d := time.Duration(seconds * 1e9)
	unit := time.Duration(1)
	for unit*10_000 < d.Abs() {
		unit *= 10
	}
	return d.Round(unit).String()
}
