// Package services has no code but tests: recipes for Kafka and S3, whose clients take longer to compile than all of the
// recipes beside them. Each has one outcome in 20 runs on the ordered runtime.
package services
