package promql

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/go-qtests/qtests/qtests/monitor"
)

// MaxSamples is how many samples one evaluation may load: Prometheus' default.
const MaxSamples = 50_000_000

// An Engine evaluates expressions with Prometheus' engine. All methods are safe
// for concurrent use.
type Engine struct {
	engine *promql.Engine
	parser parser.Parser
}

// NewEngine returns an engine with Prometheus' defaults: a lookback of five minutes,
// and MaxSamples. It has no timeout of its own, because a bubble's time stands
// still while it computes; Config.Timeout of the monitor applies.
func NewEngine() *Engine {
	return &Engine{
		parser: parser.NewParser(parser.Options{}),
		engine: promql.NewEngine(promql.EngineOpts{
			MaxSamples:               MaxSamples,
			Timeout:                  24 * time.Hour,
			LookbackDelta:            monitor.Lookback,
			EnableAtModifier:         true,
			EnableNegativeOffset:     true,
			NoStepSubqueryIntervalFn: func(int64) int64 { return monitor.SubqueryStep.Milliseconds() },
			Parser:                   parser.NewParser(parser.Options{}),
		}),
	}
}

// Compile parses and type-checks an expression. It is a monitor.Compiler.
func (e *Engine) Compile(expr string) (monitor.Evaluator, error) {
	parsed, err := e.parser.ParseExpr(expr)
	if err != nil {
		return nil, err
	}
	switch parsed.Type() {
	case parser.ValueTypeVector, parser.ValueTypeScalar:
	default:
		return nil, fmt.Errorf("promql: a rule cannot use an expression of type %s", parsed.Type())
	}
	subqueries := false
	parser.Inspect(parsed, func(n parser.Node, _ []parser.Node) error {
		_, is := n.(*parser.SubqueryExpr)
		subqueries = subqueries || is
		return nil
	})
	return &evaluator{engine: e.engine, expr: expr, parsed: parsed, subqueries: subqueries}, nil
}

// An evaluator is one expression.
type evaluator struct {
	engine     *promql.Engine
	expr       string
	parsed     parser.Expr
	subqueries bool
}

// Eval implements monitor.Evaluator.
func (e *evaluator) Eval(ctx context.Context, h *monitor.History, at time.Time) (monitor.Result, error) {
	data := &queryable{history: h, at: at.UnixMilli()}
	q, err := e.engine.NewInstantQuery(ctx, data, nil, e.expr, at)
	if err != nil {
		return monitor.Result{}, fmt.Errorf("promql: %w", err)
	}
	defer q.Close()
	res := q.Exec(ctx)
	if res.Err != nil {
		return monitor.Result{}, fmt.Errorf("promql: %w", res.Err)
	}
	out := monitor.Result{NoData: !data.found}
	if e.subqueries { // what each of many instants sees, Select does not tell
		out.NoData = !data.any || !data.sees(e.parsed, []int64{data.at})
	}
	switch v := res.Value.(type) {
	case promql.Scalar:
		out.Points = []monitor.Point{{Labels: monitor.Labels{}, Value: v.V}}
	case promql.Vector:
		for _, s := range v {
			x := monitor.Point{Labels: labelMap(s.Metric), Value: s.F}
			if s.H != nil {
				if x.Histogram, err = resultOf(s.H.Copy()); err != nil {
					return monitor.Result{}, err
				}
			}
			out.Points = append(out.Points, x)
		}
	default:
		return monitor.Result{}, fmt.Errorf("promql: the result is a %s", res.Value.Type())
	}
	return out, nil
}

func labelMap(ls labels.Labels) monitor.Labels {
	out := monitor.Labels{}
	ls.Range(func(l labels.Label) { out[l.Name] = l.Value })
	return out
}
