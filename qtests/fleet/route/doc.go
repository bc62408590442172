// Package route decides which of several targets a request goes to. It has no lock, no clock and
// no goroutine: time and random numbers are given to it. Package fleet puts a lock around a
// [Balancer] and sends real requests.
//
// # Terms
//
// A target is something that serves requests: an instance of a service. A balancer knows all
// targets. A candidate is a target that may get the request at hand: it is not excluded by the
// caller, its active health check does not fail, and it is not ejected. A policy chooses one of
// the candidates. A request is active at its target from Pick until Done.
//
// # Policies
//
//   - [RoundRobin]: one candidate after the other, in the order in which they were added.
//   - [Random]: each with the same chance. Of n requests for n targets the busiest target gets
//     about ln n / ln ln n (Gonnet, "Expected Length of the Longest Probe Sequence in Hash Code
//     Searching", 1981).
//   - [LeastRequests]: the fewest active requests for its weight; ties are drawn.
//   - [PowerOfTwo]: two candidates are drawn, and the one with fewer active requests for its
//     weight is taken. Of n requests for n targets the busiest gets log2 ln n + O(1)
//     (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001).
//   - [PeakEWMA]: two candidates are drawn, and the one with the lower cost is taken. The cost is
//     latency · (active + 1). The latency rises at once to a higher measurement r, and otherwise
//     moves towards it: l = l·w + r·(1-w), w = exp(-Δt/decay). When nothing is measured it falls by the
//     same w. A target with active requests and no measurement costs more than every other one.
//     So does Finagle (com.twitter.finagle.loadbalancer.PeakEwma).
//   - [Weighted]: smooth weighted round robin. Each candidate's credit grows by its weight; the
//     one with most credit is taken, and pays the sum of all weights (nginx).
//   - [Hash]: the key of the request decides. Every target has a score, -weight/ln(u), u a hash
//     in (0,1) of key and target; the highest wins (weighted rendezvous hashing: Thaler and
//     Ravishankar, 1998; Mosko and Wood, 2001). When a target leaves, its keys alone move, to all others alike; when the
//     n-th comes, it takes 1/n of the keys from each. No target may hold more than
//     ceil((1+ε)·(m+1)/n) of the m active requests: what is too much goes to the next score
//     (Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads", 2018).
//   - [ZoneAware]: keeps requests in the caller's zone as far as it has capacity; see there.
//
// # Outliers
//
// [Outliers] has the parameters, the defaults and the algorithm of Envoy's outlier detection
// (config.cluster.v3.OutlierDetection). Results that count as errors: a status of 5xx, and a
// request that got no answer.
//
//   - At ConsecutiveErrors errors in a row a target is ejected at once; likewise at ConsecutiveGateway of the statuses
//     502, 503, 504 and of requests without an answer, if EnforceGateway says so.
//   - Every Interval the targets with at least SuccessVolume requests in it are compared, if
//     there are at least SuccessHosts of them: those are ejected whose success rate is below
//     mean - SuccessStdev · (standard deviation). Then, of those with FailureVolume requests, each whose share of errors is at least
//     FailureShare, if EnforceFailureShare says so.
//   - The k-th ejection lasts min(k·BaseEjection, MaxEjection). It ends at the sweep that comes
//     after that. With every sweep in which a target is not ejected, k falls by one.
//   - At most MaxEjected of all targets are ejected; one always may be, as in Envoy up to 1.2x and with
//     always_eject_one_host since, unless NeverLone says otherwise.
//   - Each kind of ejection happens with the chance that its Enforce field gives.
//
// When less than PanicShare of the targets are candidates, health and ejections are ignored, so
// that few targets do not get the load of many (Envoy's panic threshold, 50% by default).
//
// # Retries
//
// A [Budget] bounds retries: at most Share of the active requests, and Min at any time (Envoy's
// retry_budget: budget_percent 20%, min_retry_concurrency 3).
package route
