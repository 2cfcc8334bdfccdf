// Package costs tests and measures what a connection costs: time, memory, allocations and system
// calls. docs/performance.md has the numbers.
package costs
