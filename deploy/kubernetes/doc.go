// Package kubernetes has the files with which a load test runs on Kubernetes: load is an Indexed Job
// of as many pods as there are parts, merge the Job that puts their results together, and objectstore
// the load with its results in a bucket. The test of this package reads them as the API server does.
package kubernetes
