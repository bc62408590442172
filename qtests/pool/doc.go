// Package pool has a resource pool for tests, and fakes of a SQL database and of
// an HTTP service that are built on it.
package pool
