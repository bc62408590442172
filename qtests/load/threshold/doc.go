// Package threshold has the language in which a load scenario says what must hold, and its
// judge.
//
//	p(99)<250ms                 errors<1%             dropped==0
//	step(checkout).p(95)<=300ms tag(region=eu).rate>10/s check(body ok)>99%
//	p(99)<1s every 1m           errors<50% abort after 30s
//	p(95)<200ms && errors<1%    metric(orders)>=100
//
// [Parse] reads a [Threshold] and says what is wrong with a text, [ParseAll] one of several
// conditions. A scenario takes both, texts and values. A [Judge] is for the run: it compares what is counted with the
// thresholds, while the run lasts and at its end. It is a plain value that the run locks.
package threshold
