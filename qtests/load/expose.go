package load

import (
	"os"

	"github.com/go-qtests/qtests/qtests/load/internal/scrape"
)

// exposed are the metrics of the runs of this process that have none of their own.
var exposed scrape.Shared[*Metrics]

// expose serves the metrics of a run in real time, where QTESTS_METRICS says at which address, until done
// is called.
func (r *run) expose() (done func(), err error) {
	address := os.Getenv(scrape.Var)
	if !r.real || address == "" || r.Metrics != nil {
		return func() {}, nil
	}
	r.Metrics, done, err = exposed.Join(address, NewMetrics)
	return done, err
}
