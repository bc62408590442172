// Package ci has files to copy, with which the parts of a load test are the jobs of a matrix:
// github.yml for GitHub Actions and gitlab.yml for GitLab. Its test checks them.
package ci
