// Package rollout decides how a new version takes the place of an old one: instance by instance
// ([Update], the rolling update of a Kubernetes Deployment), all at once ([BlueGreen]), or by shares of the
// requests, watched ([Canary]). It has no lock, no clock and no goroutine: a [Rollout] is given a
// [State], which has the time in it, and returns what is to be. Package fleet asks it, and starts and stops instances.
//
// # Terms
//
// The old group has all instances of earlier versions, the new one those of the version that comes.
// Instances that are being stopped belong to neither. An instance is available when it has been ready for
// MinReady without a break. Wanted is how many replicas there are to be in the end; it may change during a rollout.
//
// # Rolling update
//
// As in Kubernetes (pkg/controller/deployment): maxSurge is rounded up, maxUnavailable down, and if both are 0
// maxUnavailable is 1. The defaults are 25% and 25%. With every step either the new group grows or the old
// one shrinks:
//
//	new  += min(wanted + maxSurge - old - new, wanted - new)
//	old  -= those not available, at most old + new - (wanted - maxUnavailable) - (new - available new)
//	old  -= available old + available new - (wanted - maxUnavailable), within the same bound
//
// When the number of replicas that are wanted changes in the middle, that step shares out wanted + maxSurge instances between both groups in
// proportion to what they have (proportional scaling, pkg/controller/deployment/sync.go). The next step goes on as above.
//
// If nothing has become better for Deadline (10 min) the rollout has failed: it stays where it is, as in Kubernetes.
//
// # Blue-green
//
// As many new instances as wanted are started beside the old ones. When all are available, all requests go
// to them. After Keep the old ones are stopped.
//
// # Canary
//
// For every [Step], share · wanted new instances are started (rounded up) beside the old ones; when they are
// available they get that share of the requests, for Pause. Meanwhile the new group is watched: every Interval with at least
// MinRequests of its requests is judged by the limits of [Analysis]. After Failures bad intervals in a row all
// requests go to the old group, and the new one is stopped. After the last step all requests go to the new group, and the old one is stopped.
package rollout
