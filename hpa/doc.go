// Package hpa reads the HorizontalPodAutoscaler of a team from its own file, autoscaling/v2, so that what is
// deployed is what is tested:
//
//	h, err := hpa.ReadFile("../deploy/hpa.yaml")
//	scaler, err := scale.New(h)
//	f := fleet.NewT(q, fleet.Config{New: shop.New, Scaling: fleet.Scaling{By: scaler}})
//
// It reads with the types of k8s.io/api, strictly: a field that does not exist, or exists twice, is an error, as is
// what the API server would refuse. A file may have other documents; exactly one has to be a HorizontalPodAutoscaler.
//
// A metric of the kind Object or External is called by its name, and if it has a selector with its labels, sorted, behind it:
// queue_length{queue="mail"}. That is the name of its value in fleet.Scaling.Values. Selectors with
// expressions are refused. A metric of the kind ContainerResource is the cpu of the fleet's own container (fleet.Capacity.Container), or of another one
// that fleet.Scaling.PerInstance and fleet.Scaling.Requests give.
//
// It is a module of its own, so that Kubernetes' modules reach no other module graph.
package hpa
