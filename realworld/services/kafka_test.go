package services

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/wire"
)

// A cluster of three brokers, a producer, and a consumer of a group. For 20 seconds the brokers cannot be reached: what is
// produced meanwhile arrives afterwards, each message once.
func TestRecipeKafka(t *testing.T) {
	recipe(t, func(q *qtests.T, log *Log) {
		hosts := wire.NewHosts(q)
		cluster, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.ListenFn(hosts.Listen), kfake.SeedTopics(3, "orders"))
		require.NoError(q, err)
		defer cluster.Close()
		var events []event.Event
		for _, broker := range cluster.ListenAddrs() {
			link := hosts.Link(broker)
			events = append(events, link.Latency(wire.Both, latency.Fixed(2*time.Millisecond)), link.Partition().At(time.Minute).For(20*time.Second))
		}
		q.Schedule(events...)

		producer, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.Dialer(hosts.Dial), kgo.DefaultProduceTopic("orders"))
		require.NoError(q, err)
		defer producer.Close()
		consumer, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.Dialer(hosts.Dial),
			kgo.ConsumerGroup("billing"), kgo.ConsumeTopics("orders"))
		require.NoError(q, err)
		defer consumer.Close()

		for i := range 24 {
			order := fmt.Sprintf("order %d", i)
			producer.Produce(q.Context(), kgo.StringRecord(order), func(_ *kgo.Record, err error) {
				if err != nil {
					q.Errorf("%s: %v", order, err)
				}
			})
			q.Sleep(5 * time.Second)
		}
		ctx, cancel := context.WithTimeout(q.Context(), time.Minute)
		defer cancel()
		seen := map[string]int{}
		for len(seen) < 24 {
			fetches := consumer.PollFetches(ctx)
			require.NoError(q, fetches.Err())
			fetches.EachRecord(func(r *kgo.Record) {
				log.Addf("%s in %d at %v", r.Value, r.Partition, r.Timestamp)
				seen[string(r.Value)]++
			})
		}
		for order, n := range seen {
			require.Equal(q, 1, n, order)
		}
	})
}
