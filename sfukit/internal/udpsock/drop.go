package udpsock

import (
	"errors"
	"net"
	"syscall"
)

// ErrAddress is returned by the write methods when the destination is not a
// UDP address, is the zero address or has port zero.
var ErrAddress = errors.New("udpsock: not a UDP destination")

// Drop says why a datagram that was written was not sent. The zero value is
// no reason.
type Drop uint8

// The reasons. System errors fall into the first that fits.
const (
	DropFull        Drop = iota + 1 // no room in the socket's or the device's queue
	DropUnreachable                 // no route, or the network, host or port is known not to answer
	DropTooLarge                    // longer than UDP or the path allows
	DropDenied                      // a firewall or the system's policy forbids it
	DropAddress                     // not an address this socket can send to
	DropClosed                      // the socket was closed first
	DropOther                       // any other error

	// NumDrops is one more than the largest Drop: an array of that length
	// has a place for each.
	NumDrops = int(DropOther) + 1
)

var dropNames = [NumDrops]string{
	DropFull: "full", DropUnreachable: "unreachable", DropTooLarge: "too_large", DropDenied: "denied",
	DropAddress: "address", DropClosed: "closed", DropOther: "other",
}

// String returns the reason as a word fit for a metric label, and "unknown"
// for a value that is none of them.
func (d Drop) String() string {
	if d == 0 || int(d) >= NumDrops {
		return "unknown"
	}
	return dropNames[d]
}

// dropOf sorts an error of sending into a reason.
func dropOf(err error) Drop {
	if errors.Is(err, net.ErrClosed) {
		return DropClosed
	}
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return DropOther
	}
	return dropOfErrno(errno)
}

func dropOfErrno(errno syscall.Errno) Drop {
	switch errno {
	case syscall.EAGAIN, syscall.ENOBUFS, syscall.ENOMEM:
		return DropFull
	case syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN, syscall.EHOSTDOWN, syscall.ECONNREFUSED:
		return DropUnreachable
	case syscall.EMSGSIZE:
		return DropTooLarge
	case syscall.EPERM, syscall.EACCES:
		return DropDenied
	case syscall.EINVAL, syscall.EAFNOSUPPORT, syscall.EADDRNOTAVAIL, syscall.EDESTADDRREQ:
		return DropAddress
	case syscall.EBADF:
		return DropClosed
	}
	return DropOther
}

// fatalRead reports whether an error means that the socket will never deliver
// again. Every other error number concerns one datagram, one peer or the
// moment; pion's mux would close for good over it.
func fatalRead(err error) bool {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return true // closed, timed out, or not a socket at all
	}
	switch errno {
	case syscall.EBADF, syscall.ENOTSOCK, syscall.EINVAL, syscall.EFAULT:
		return true
	}
	return false
}
