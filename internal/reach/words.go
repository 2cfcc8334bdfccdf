package reach

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
)

// Words returns the text of an error, in which an error of package net is put into words: which
// address, and what happened.
func Words(err error) string {
	op, ok := errors.AsType[*net.OpError](err)
	name, unknown := errors.AsType[*net.DNSError](err)
	family, noFamily := errors.AsType[*net.AddrError](err)
	switch {
	case ok && unknown:
		return strings.Replace(err.Error(), op.Error(), ofName(name), 1)
	case ok && op.Op == "dial" && op.Addr != nil:
		return strings.Replace(err.Error(), op.Error(), ofDial(op.Addr.String(), op), 1)
	case ok:
		return strings.Replace(err.Error(), op.Error(), plain(op.Err), 1)
	case noFamily:
		return strings.Replace(err.Error(), family.Error(),
			family.Addr+" has no address of the family that was asked for", 1)
	case unknown:
		return strings.Replace(err.Error(), name.Error(), ofName(name), 1)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return plain(err)
	}
	return err.Error()
}

// ofName says why a name has no address.
func ofName(e *net.DNSError) string {
	switch {
	case e.Err == "unknown port":
		return fmt.Sprintf("%s is neither a port nor a service of this machine",
			e.Name[strings.LastIndexByte(e.Name, '/')+1:])
	case e.IsNotFound:
		return fmt.Sprintf("%s has no address: no such host", e.Name)
	case e.IsTimeout:
		return "the resolver does not answer when asked for " + e.Name
	}
	return "the resolver fails when asked for " + e.Name
}

func ofDial(where string, op *net.OpError) string {
	switch {
	case errors.Is(op, syscall.ECONNREFUSED):
		return where + ": connection refused"
	case errors.Is(op, syscall.EHOSTUNREACH), errors.Is(op, syscall.ENETUNREACH):
		return "there is no route to " + where
	case errors.Is(op, syscall.EACCES), errors.Is(op, syscall.EPERM):
		return "this machine does not allow connections to " + where
	case errors.Is(op, syscall.EADDRNOTAVAIL):
		return where + " is no address that this machine can connect to"
	case op.Timeout():
		return where + " does not answer"
	}
	return where + ": " + plain(op.Err)
}

// plain is the text of an error of the system without the call that failed.
func plain(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, syscall.ECONNRESET):
		return "the connection was reset"
	case errors.Is(err, syscall.EPIPE):
		return "the peer has closed the connection"
	}
	if e, ok := errors.AsType[syscall.Errno](err); ok {
		return e.Error()
	}
	return err.Error()
}

// CannotListen says why nothing can listen at an address.
func CannotListen(err error) string {
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return ofName(e)
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "the address is in use: another program listens there"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine has no such address"
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return "this user may not listen there: on most machines ports below 1024 are for root"
	case errors.Is(err, syscall.EAFNOSUPPORT):
		return "this machine has no addresses of that family"
	}
	if _, ok := errors.AsType[*net.AddrError](err); ok {
		return "takes ADDRESS:PORT or :PORT, with a port from 0 to 65535"
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return plain(op.Err)
	}
	return plain(err)
}
