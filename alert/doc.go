// Package alert holds the alerts of RFC 5246 §7.2 and the two kinds of error that end a connection:
// Error, with the alert to send, and Received, an alert that the peer sent.
//
// The files can be read in this order, each after those that it builds on; a test holds that none
// refers to a later one:
//
//	kind.go list.go   kinds of failure, and texts of bounded length
//	alert.go          alerts, and the errors that end a connection
//
// It is part of Vitrine's API.
package alert
