// Package costs tests what a connection costs: memory, allocations and system calls. internal/bench
// measures what it costs in time, beside other stacks.
package costs
