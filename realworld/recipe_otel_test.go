package realworld

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/go-qtests/qtests/qtests"
)

// drawn has the ids of spans follow the seed: those of the SDK come from a source of its own.
type drawn struct{ r *rand.Rand }

func (d drawn) NewIDs(ctx context.Context) (id trace.TraceID, _ trace.SpanID) {
	for i := range id {
		id[i] = byte(d.r.Uint32())
	}
	return id, d.NewSpanID(ctx, id)
}

func (d drawn) NewSpanID(context.Context, trace.TraceID) (id trace.SpanID) {
	for i := range id {
		id[i] = byte(d.r.Uint32())
	}
	return id
}

// Spans of a call and its retries, sent in batches every five seconds of fake time, with fake times and ids of the seed.
func TestRecipeOpenTelemetry(t *testing.T) {
	recipe(t, func(q *qtests.T, log *Log) {
		exporter := tracetest.NewInMemoryExporter()
		provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithIDGenerator(drawn{q.Rand("spans")}))
		defer func() { _ = provider.Shutdown(q.Context()) }()
		tracer := provider.Tracer("shop")
		for i := range 5 {
			ctx, call := tracer.Start(q.Context(), "charge", trace.WithAttributes(attribute.Int("order", i)))
			for try := range 2 {
				_, attempt := tracer.Start(ctx, "attempt")
				q.Sleep(40 * time.Millisecond)
				if try == 0 {
					attempt.RecordError(errors.New("busy"))
					attempt.SetStatus(codes.Error, "busy")
				}
				attempt.End()
			}
			call.End()
			require.Len(q, exporter.GetSpans(), 3*i, "the batch has not been sent yet")
			q.Sleep(10 * time.Second)
			require.Len(q, exporter.GetSpans(), 3*(i+1))
		}
		for _, span := range exporter.GetSpans() {
			log.Addf("%s %s %v %v %v", span.SpanContext.TraceID(), span.Name, span.StartTime, span.EndTime.Sub(span.StartTime), span.Status)
			if span.Name == "charge" {
				require.Equal(q, 80*time.Millisecond, span.EndTime.Sub(span.StartTime).Round(time.Millisecond))
			}
		}
	})
}
