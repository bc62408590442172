// Package scale decides how many replicas a service is to have: by the algorithm of the Kubernetes
// HorizontalPodAutoscaler ([HPA]), as KEDA does from and to zero ([KEDA]), by steps as cloud
// autoscalers do ([Steps]), or by a function ([Func]). It has no lock, no clock and no goroutine:
// a [Scaler] is given a [Status], which has the time in it, and returns a [Decision]. Package
// fleet asks it, and starts and stops instances.
//
// # Terms
//
// A replica is a pod that is wanted; a pod is one that exists. A metric is missing for a pod that
// has no sample of it. A pod is ignored that is being deleted or has failed. It is unready when it
// is pending, and for the resource cpu also
//
//   - during the first 5 minutes after its start, when it is not ready, or its sample was taken
//     less than a window after it became ready;
//   - later, when it is not ready and has never been for longer than 30 s after its start.
//
// # The HorizontalPodAutoscaler
//
// Every 15 s, with values in thousandths and whole per cents as Kubernetes has them
// (pkg/controller/podautoscaler, and "Horizontal Pod Autoscaling" in its documentation):
//
//	ratio   = usage / target
//	desired = ceil(ratio · pods)
//
// and desired is the present number while 1-tolerance <= ratio <= 1+tolerance, tolerance 0.1.
//
//   - Resource by Utilization: ratio is floor(100·Σusage/Σrequest) / target over the pods with a
//     sample that are neither ignored nor unready. Resource and Pods by AverageValue: ratio is the mean (a whole
//     number of thousandths) / target. pods is the number of those pods. ContainerResource is as Resource, of the use and
//     the request of one container, which a pod has under the name that [Of] makes: "app/cpu".
//   - Where metrics are missing, or where ratio > 1 and pods are unready, ratio is taken again, and pods counts what is added: when
//     ratio < 1, a missing pod uses its target (for Utilization its whole request, or the target if that is
//     more); when ratio > 1, missing and unready pods use nothing. If the new ratio lies within the
//     tolerance, or on the other side of 1, or would scale the other way, nothing changes.
//   - Object and External by Value: ratio is value / target, pods are those that are ready. From 0
//     replicas, desired = ceil(ratio). By AverageValue: desired = ceil(value / target), unless value / (target ·
//     pods) lies within the tolerance.
//   - Of several metrics the largest desired counts. If one cannot be had and the others
//     would scale down, or if none can be had, nothing changes, and the decision has an error.
//   - More than Max, or less than Min, is brought back at once. 0 replicas with Min above 0 turn it off.
//
// Then the behaviour. The present number is kept between the smallest desired of the scale-up
// window (0 s) and the largest of the scale-down window (300 s). Each direction has policies: at most so many
// pods, or so many per cent of the number at the start of the period, per period; up, per cents are
// rounded up, down, what remains is cut to a whole number. The policy that allows most counts, or
// least with [SelectLeast], and [SelectNone] turns the direction off. Defaults: up 4 pods or 100% per 15 s, down 100% per 15 s.
//
// # KEDA
//
// Triggers are polled every 30 s. With replicas, the HorizontalPodAutoscaler above scales between max(1, Min) and Max by
// External metrics with AverageValue. From 0 to max(1, Min): when a trigger is above its Activation. To 0 (or
// Idle): when no trigger has been active for longer than Cooldown (300 s). A trigger that has failed more than Fallback.Failures
// times counts as what wants Fallback.Replicas.
//
// # What it costs, and whether it flaps
//
// A [Record] adds up what was decided: replicas over time, instance-hours, and changes that turn back
// on the one before.
package scale
