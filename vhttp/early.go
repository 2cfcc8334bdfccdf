package vhttp

import (
	"net/http"
	"slices"
)

// HTTP over early data: RFC 8470. Early data may be a replay of an earlier request, so only safe
// methods are allowed in it.

// earlyData is the header that marks requests that arrived as early data. See RFC 8470 §5.1.
const earlyData = "Early-Data"

// safe reports whether a request with this method may go as early data. See RFC 8470 §4 and RFC
// 9110 §9.2.1.
func safe(method string) bool {
	return slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions,
		http.MethodTrace}, method)
}

// withEarly marks the context of a request that may go as early data.
type withEarly struct{}
