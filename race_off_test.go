//go:build !race

package vitrine_test

const racing = false
