// Package load has a load test to copy. Its compiled tests are what the files beside it run: on
// Kubernetes, on Slurm, on GitHub Actions and on GitLab.
package load
