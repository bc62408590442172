package realworld

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/apiversions"
	"github.com/segmentio/kafka-go/protocol/metadata"
	"github.com/segmentio/kafka-go/protocol/produce"

	"github.com/go-qtests/qtests/qtests"
)

// A writer that gathers messages of many goroutines into batches for four partitions of
// two brokers, by the hash of their keys.
func TestKafkaWriter(t *testing.T) {
	outcome(t, func(q *qtests.T, log *Log) {
		listener := qtests.Listen(q.Clock(), "kafka.memory:9092")
		broker := &broker{log: log}
		broker.conns.Go(func() { broker.serve(listener) })
		network := newCable(q, log, listener.Dial)
		ctx, cancel := context.WithCancel(q.Context())
		transport := &kafka.Transport{
			Dial:    func(ctx context.Context, _, _ string) (net.Conn, error) { return network.Dial(ctx) },
			Context: ctx,
		}
		writer := &kafka.Writer{
			Addr: kafka.TCP("broker1.memory:9092"), Topic: topic, Balancer: &kafka.Hash{}, Transport: transport,
			RequiredAcks: kafka.RequireOne, BatchSize: 5, BatchTimeout: 300 * time.Millisecond, MaxAttempts: 6,
		}
		load(log, func(i int) string {
			ctx, cancel := context.WithTimeout(q.Context(), 10*time.Second)
			defer cancel()
			message := kafka.Message{Key: fmt.Append(nil, rand.N(100)), Value: fmt.Append(nil, "message ", i)}
			return fmt.Sprint(writer.WriteMessages(ctx, message))
		})
		log.Addf("closed: %v", writer.Close())
		transport.CloseIdleConnections()
		cancel()
		_ = listener.Close()
		broker.conns.Wait()
		time.Sleep(time.Minute) // until the transport has noticed
	})
}

const topic = "events"

// A broker answers the three kinds of request that a writer makes.
type broker struct {
	log   *Log
	conns sync.WaitGroup
}

func (b *broker) serve(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		b.conns.Go(func() {
			defer conn.Close()
			for {
				version, id, _, request, err := protocol.ReadRequest(conn)
				if err != nil || work(context.Background()) != nil {
					return
				}
				if err := protocol.WriteResponse(conn, version, id, b.answer(request)); err != nil {
					return
				}
			}
		})
	}
}

func (b *broker) answer(request protocol.Message) protocol.Message {
	switch r := request.(type) {
	case *apiversions.Request:
		return &apiversions.Response{ApiKeys: []apiversions.ApiKeyResponse{
			{ApiKey: int16(protocol.Produce), MaxVersion: 8},
			{ApiKey: int16(protocol.Metadata), MaxVersion: 8},
			{ApiKey: int16(protocol.ApiVersions), MaxVersion: 2},
		}}
	case *metadata.Request:
		return cluster()
	case *produce.Request:
		return b.store(r)
	default:
		panic(fmt.Sprintf("a request of the kind %T", request))
	}
}

func cluster() *metadata.Response {
	res := &metadata.Response{
		ClusterID: "cluster", ControllerID: 1,
		Brokers: []metadata.ResponseBroker{
			{NodeID: 1, Host: "broker1.memory", Port: 9092}, {NodeID: 2, Host: "broker2.memory", Port: 9092},
		},
		Topics: []metadata.ResponseTopic{{Name: topic}},
	}
	for p := range int32(4) {
		leader := 1 + p%2
		res.Topics[0].Partitions = append(res.Topics[0].Partitions, metadata.ResponsePartition{
			PartitionIndex: p, LeaderID: leader, ReplicaNodes: []int32{leader}, IsrNodes: []int32{leader},
		})
	}
	return res
}

// store answers with an error now and then, which the writer tries again.
func (b *broker) store(r *produce.Request) *produce.Response {
	res := &produce.Response{}
	for _, t := range r.Topics {
		stored := produce.ResponseTopic{Topic: t.Topic}
		for _, p := range t.Partitions {
			answer := produce.ResponsePartition{Partition: p.Partition}
			if rand.N(20) == 0 {
				answer.ErrorCode = int16(kafka.LeaderNotAvailable)
			}
			b.log.Addf("stored in %d: %d", p.Partition, answer.ErrorCode)
			stored.Partitions = append(stored.Partitions, answer)
		}
		res.Topics = append(res.Topics, stored)
	}
	return res
}
