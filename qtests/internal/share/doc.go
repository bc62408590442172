// Package share says which part of a run this process is, and how the parts of a run meet: in
// a directory that they share.
//
// A share is part i of n, counted from 1 to n as people count: the first of eight is 1/8. What
// is dealt has a global index from 1 on. Index k belongs to part i if k - i is a multiple of n.
// So the parts have no index in common, together they have all, and their sizes differ by one
// at most.
//
// # Where a share comes from
//
// QTESTS_SHARE=i/n decides, if it is set. Else the variables of the engine that runs the parts
// do, if QTESTS_RESULTS is set. Without that directory the results of the parts could not be
// merged, and a matrix that is there for something else, such as versions of Go, must not make
// a test smaller:
//
//	engine                   variables                                               counts from
//	Kubernetes, Indexed Job  JOB_COMPLETION_INDEX, with QTESTS_SHARES=n              0
//	GitLab, parallel         CI_NODE_INDEX, CI_NODE_TOTAL                            1
//	CircleCI, parallelism    CIRCLE_NODE_INDEX, CIRCLE_NODE_TOTAL                    0
//	Buildkite, parallelism   BUILDKITE_PARALLEL_JOB, BUILDKITE_PARALLEL_JOB_COUNT    0
//	Slurm, array             SLURM_ARRAY_TASK_ID, …_COUNT, …_MIN and …_STEP          …_MIN
//
// GitHub Actions sets no such variables: a matrix sets QTESTS_SHARE. Two engines that
// contradict each other are an error, and so is an index without its number.
package share
