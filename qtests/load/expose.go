package load

import (
	"os"
	"sync"

	"github.com/go-qtests/qtests/qtests/load/internal/scrape"
)

// exposed are the metrics of the runs of this process that have none of their own. They are served while
// one of the runs goes on.
var exposed struct {
	sync.Mutex
	metrics *Metrics
	runs    int
	stop    func()
}

// expose serves the metrics of a run in real time, where QTESTS_METRICS says at which address, until done
// is called.
func (r *run) expose() (done func(), err error) {
	address := os.Getenv(scrape.Var)
	if !r.real || address == "" || r.Metrics != nil {
		return func() {}, nil
	}
	exposed.Lock()
	defer exposed.Unlock()
	if exposed.runs == 0 {
		exposed.metrics = NewMetrics()
		if _, exposed.stop, err = scrape.Serve(address, exposed.metrics); err != nil {
			return nil, err
		}
	}
	exposed.runs++
	r.Metrics = exposed.metrics
	return conceal, nil
}

func conceal() {
	exposed.Lock()
	defer exposed.Unlock()
	if exposed.runs--; exposed.runs == 0 {
		exposed.stop()
	}
}
