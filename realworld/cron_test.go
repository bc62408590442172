package realworld

import (
	"fmt"
	"testing"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/go-qtests/qtests/qtests"
)

// Jobs of one instant: some wait for the last one of their kind, and some are left out.
func TestCron(t *testing.T) {
	outcome(t, func(q *qtests.T, log *Log) {
		jobs := cron.New(cron.WithSeconds(), cron.WithLocation(time.UTC), cron.WithChain(cron.Recover(cron.DiscardLogger)))
		job := func(name string) cron.FuncJob {
			return func() {
				log.asks()
				log.Addf("%s starts", name)
				took, err := call(q.Context(), log)
				if err != nil {
					time.Sleep(3 * time.Second)
				}
				log.Addf("%s ends: %v %v", name, took, err)
			}
		}
		chains := []cron.Chain{
			cron.NewChain(),
			cron.NewChain(cron.DelayIfStillRunning(cron.DiscardLogger)),
			cron.NewChain(cron.SkipIfStillRunning(cron.DiscardLogger)),
		}
		for i, chain := range chains {
			for k, spec := range []string{"* * * * * *", "*/2 * * * * *", "@every 1s"} {
				if _, err := jobs.AddJob(spec, chain.Then(job(fmt.Sprint("job ", i, k)))); err != nil {
					q.Error(err)
				}
			}
		}
		jobs.Start()
		time.Sleep(log.plan.length)
		<-jobs.Stop().Done()
	})
}
