package udpsock

import (
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// receiveBatch is how many datagrams one recvmmsg may return.
	receiveBatch = 32
	// receiveSize is the longest datagram that is received. pion reads with
	// buffers of this size, and the memory behind a usual datagram is not
	// touched before a longer one comes.
	receiveSize = 8192
)

// receiver holds one receive batch and serves it datagram by datagram.
type receiver struct {
	stats *counters
	n, at int // received, and how many of them were served
	errno syscall.Errno

	call     func(fd uintptr) bool // r.receive, bound once so that reading allocates nothing
	recvmmsg func(fd uintptr, msgs []mmsghdr) (int, syscall.Errno)

	msgs  [receiveBatch]mmsghdr
	iovs  [receiveBatch]unix.Iovec
	names [receiveBatch]sockaddr
	bufs  [receiveBatch][receiveSize]byte
}

func (r *receiver) init(stats *counters) {
	r.stats, r.call, r.recvmmsg = stats, r.receive, recvmmsg
	for i := range r.msgs {
		r.iovs[i].Base = &r.bufs[i][0]
		r.iovs[i].SetLen(receiveSize)
		h := &r.msgs[i].hdr
		h.Name, h.Namelen = (*byte)(unsafe.Pointer(&r.names[i])), unix.SizeofSockaddrInet6
		h.Iov = &r.iovs[i]
		h.SetIovlen(1)
	}
}

// receive fills the batch. It returns false if the socket has nothing, which
// makes the runtime wait until it has.
func (r *receiver) receive(fd uintptr) bool {
	for i := range r.n { // the kernel has set these to the lengths of the names
		r.msgs[i].hdr.Namelen = unix.SizeofSockaddrInet6
	}
	r.n, r.at = 0, 0
	for {
		n, errno := r.recvmmsg(fd, r.msgs[:])
		switch errno {
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			return false
		}
		r.n, r.errno = n, errno
		r.count()
		return true
	}
}

func (r *receiver) count() {
	if r.n == 0 {
		return
	}
	var datagrams, bytes, truncated uint64
	for i := range r.n {
		if m := &r.msgs[i]; m.hdr.Flags&unix.MSG_TRUNC == 0 {
			datagrams++
			bytes += uint64(m.len)
		} else {
			truncated++
		}
	}
	r.stats.readBatches.Add(1)
	r.stats.datagramsIn.Add(datagrams)
	r.stats.bytesIn.Add(bytes)
	r.stats.readTruncated.Add(truncated)
}

// next copies the next datagram of the batch to b. It says no when there is
// none left.
func (r *receiver) next(b []byte) (int, netip.AddrPort, bool) {
	for r.at < r.n {
		i := r.at
		r.at++
		from := addrOf(&r.names[i])
		if r.msgs[i].hdr.Flags&unix.MSG_TRUNC == 0 && from.IsValid() {
			return copy(b, r.bufs[i][:r.msgs[i].len]), from, true
		}
	}
	return 0, netip.AddrPort{}, false
}
