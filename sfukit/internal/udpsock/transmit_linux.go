package udpsock

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// transmit hands the messages over and deals with those the kernel refuses.
func (s *sender) transmit(fd uintptr) {
	for i := 0; i < s.n; {
		done, errno := s.submit(fd, s.msgs[i:s.n])
		for _, t := range s.trains[i : i+done] {
			s.proven = s.proven || t.count > 1
			s.stats.sent(int(t.count), int(t.bytes))
		}
		i += done
		if errno == 0 {
			continue
		}
		t, reason := s.trains[i], dropOfErrno(errno)
		switch {
		case reason == DropFull:
			s.dropFrom(i)
			return
		case t.count > 1 && refusesTrain(errno):
			if full := s.apart(fd, t, errno); full {
				s.dropFrom(i + 1)
				return
			}
		default:
			s.stats.drop(reason, int(t.count))
		}
		i++
	}
}

// submit is sendmmsg, repeated when it was interrupted or told about the fate
// of an earlier datagram (the kernel tells that once).
func (s *sender) submit(fd uintptr, msgs []mmsghdr) (done int, errno syscall.Errno) {
	for range 3 {
		done, errno = s.sendmmsg(fd, msgs)
		if errno != unix.EINTR && errno != unix.ECONNREFUSED {
			break
		}
	}
	return done, errno
}

// dropFrom gives up the messages from i on: the queue is full, and the
// goroutine that sends must not wait for it.
func (s *sender) dropFrom(i int) {
	for _, t := range s.trains[i:s.n] {
		s.stats.drop(DropFull, int(t.count))
	}
}

// refusesTrain reports whether an error can be about the segmentation and not
// about the datagrams: the device cannot do it (EIO), the kernel or a sandbox
// does not know it, or a segment is longer than the path allows.
func refusesTrain(errno syscall.Errno) bool {
	switch errno {
	case unix.EIO, unix.EINVAL, unix.EMSGSIZE, unix.EOPNOTSUPP, unix.ENOPROTOOPT:
		return true
	}
	return false
}

// apart sends a refused train datagram by datagram and reports whether the
// queue was full. If that works, the refusal was about trains, and unless it
// can be the fault of one path the socket sends no more of them. A
// destination that always fails proves nothing: peers choose their addresses.
func (s *sender) apart(fd uintptr, t train, refusal syscall.Errno) (full bool) {
	s.stats.trainsRefused.Add(1)
	k := t.first
	for i := range t.count {
		p := s.batch.bytes(k)
		k = s.batch.items[k].next
		errno := s.single(fd, p, &s.names[t.dest], s.lengths[t.dest])
		if i == 0 && errno == 0 && (refusal == unix.EIO || refusal != unix.EMSGSIZE && !s.proven) {
			s.stats.trains.Store(false)
		}
		if errno != 0 && dropOfErrno(errno) == DropFull {
			s.stats.drop(DropFull, int(t.count-i)-1) // single has counted one
			return true
		}
	}
	return false
}

// single sends p by itself and counts what became of it.
func (s *sender) single(fd uintptr, p []byte, to *sockaddr, length uint32) syscall.Errno {
	s.oneIov.Base = unsafe.SliceData(p)
	s.oneIov.SetLen(len(p))
	s.one[0].hdr.Name, s.one[0].hdr.Namelen = (*byte)(unsafe.Pointer(to)), length
	_, errno := s.submit(fd, s.one[:])
	s.oneIov.Base = nil // p goes back to its owner
	if errno == 0 {
		s.stats.sent(1, len(p))
	} else {
		s.stats.drop(dropOfErrno(errno), 1)
	}
	return errno
}
