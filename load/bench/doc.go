// Package bench measures the load generator: beside Vegeta's own command, in a stall of the service, and in memory. It
// consists of benchmarks only; make bench runs them. Generator and service are processes of their own, each on one core
// where the system lets them.
package bench
