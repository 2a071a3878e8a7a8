package udpsock

import (
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// trainDatagrams is the most segments that every kernel with
	// UDP_SEGMENT cuts a message into.
	trainDatagrams = 64
	// trainBytes keeps a train and its headers within the 16-bit lengths of
	// IP and UDP.
	trainBytes = 65000
)

// train is a run of datagrams to one destination that leaves as one message:
// all have the length of the first, only the last may be shorter.
type train struct {
	dest  int32 // index into batch.dests
	first int32 // index into batch.items; the chain leads to the others
	count int32
	bytes int32
}

// sender turns a batch into messages and hands them to the kernel.
type sender struct {
	stats  *counters
	v6     bool
	proven bool // the kernel has taken a train

	call, callOne func(fd uintptr) // bound once so that sending allocates nothing
	sendmmsg      func(fd uintptr, msgs []mmsghdr) (int, syscall.Errno)

	batch    *batch // being sent
	n        int    // messages built
	trains   [batchDatagrams]train
	msgs     [batchDatagrams]mmsghdr
	iovs     [batchDatagrams]unix.Iovec
	controls [batchDatagrams]segmentControl
	names    [batchDatagrams]sockaddr // by destination; length zero means out of reach
	lengths  [batchDatagrams]uint32

	// A datagram that leaves by itself: p and to for callOne, the rest for single.
	p       []byte
	to      netip.AddrPort
	oneName sockaddr
	oneIov  unix.Iovec
	one     [1]mmsghdr
}

func (s *sender) init(stats *counters, v6 bool) {
	s.stats, s.v6 = stats, v6
	s.call, s.sendmmsg = s.transmit, sendmmsg
	s.callOne = func(fd uintptr) {
		if n := putAddr(&s.oneName, s.to, s.v6); n > 0 {
			s.single(fd, s.p, &s.oneName, n)
		} else {
			s.stats.drop(DropAddress, 1)
		}
	}
	s.one[0].hdr.Iov = &s.oneIov
	s.one[0].hdr.SetIovlen(1)
}

// load builds the messages of b, destination by destination.
func (s *sender) load(b *batch) {
	s.batch, s.n = b, 0
	iov := 0
	gso := s.stats.trains.Load()
	for d := range b.nd {
		s.lengths[d] = putAddr(&s.names[d], b.dests[d].addr, s.v6)
		for k := b.dests[d].head; k >= 0; {
			t := train{dest: int32(d), first: k}
			start := iov
			for k >= 0 && (t.count == 0 || gso && t.takes(b, k)) {
				it := &b.items[k]
				s.iovs[iov].Base = &b.arena[it.off]
				s.iovs[iov].SetLen(int(it.len))
				iov++
				t.count++
				t.bytes += it.len
				k = it.next
			}
			if s.lengths[d] == 0 {
				s.stats.drop(DropAddress, int(t.count))
				continue
			}
			s.put(t, s.iovs[start:iov])
		}
	}
}

// takes reports whether the datagram k can be the next of the train.
func (t *train) takes(b *batch, k int32) bool {
	size := b.items[t.first].len
	next := b.items[k].len
	return t.count < trainDatagrams && t.bytes+next <= trainBytes &&
		t.bytes == t.count*size && // none was shorter so far
		0 < next && next <= size
}

func (s *sender) put(t train, iovs []unix.Iovec) {
	h := &s.msgs[s.n].hdr
	h.Name, h.Namelen = (*byte)(unsafe.Pointer(&s.names[t.dest])), s.lengths[t.dest]
	h.Iov = &iovs[0]
	h.SetIovlen(len(iovs))
	h.Control = nil
	h.SetControllen(0)
	if t.count > 1 {
		c := &s.controls[s.n]
		c.set(int(s.batch.items[t.first].len))
		h.Control = (*byte)(unsafe.Pointer(c))
		h.SetControllen(int(unsafe.Sizeof(*c)))
	}
	s.trains[s.n] = t
	s.n++
}
