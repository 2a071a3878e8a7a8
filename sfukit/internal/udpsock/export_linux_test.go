package udpsock

import (
	"bytes"
	"net/netip"
	"syscall"
	"unsafe"
)

// The longest datagram a socket receives, and the limits of a train.
const (
	ReceiveSize    = receiveSize
	TrainDatagrams = trainDatagrams
	TrainBytes     = trainBytes
)

// Message is what a system call was asked to send to one destination, to be
// cut into pieces of Segment bytes unless that is zero.
type Message struct {
	To      netip.AddrPort
	Data    []byte
	Segment int
}

// SetTrains turns segmentation on or off, as the kernel's answers would.
func SetTrains(c *Conn, on bool) { c.stats.trains.Store(on) }

// SetSend puts f in the place of sendmmsg: it is shown the messages of each
// call and returns how many it took, or an error and none.
func SetSend(c *Conn, f func([]Message) (int, syscall.Errno)) {
	tx := &c.drv.(*mmsg).tx
	tx.sendmmsg = func(_ uintptr, msgs []mmsghdr) (int, syscall.Errno) {
		decoded := make([]Message, len(msgs))
		for i := range msgs {
			decoded[i] = decode(&msgs[i])
		}
		return f(decoded)
	}
}

func decode(m *mmsghdr) Message {
	out := Message{To: addrOf((*sockaddr)(unsafe.Pointer(m.hdr.Name)))}
	var data bytes.Buffer
	for _, v := range unsafe.Slice(m.hdr.Iov, int(m.hdr.Iovlen)) {
		data.Write(unsafe.Slice(v.Base, int(v.Len)))
	}
	out.Data = data.Bytes()
	if m.hdr.Controllen > 0 {
		out.Segment = int((*segmentControl)(unsafe.Pointer(m.hdr.Control)).size)
	}
	return out
}

// FailReceive makes the next len(errnos) calls of recvmmsg fail with them.
func FailReceive(c *Conn, errnos ...syscall.Errno) {
	c.drv.(*mmsg).rx.recvmmsg = func(fd uintptr, msgs []mmsghdr) (int, syscall.Errno) {
		if len(errnos) > 0 {
			errno := errnos[0]
			errnos = errnos[1:]
			return 0, errno
		}
		return recvmmsg(fd, msgs)
	}
}

// RoundTrip is the address that comes back from a socket address made for a
// socket of the given family, or the zero value if none can be made.
func RoundTrip(a netip.AddrPort, v6 bool) netip.AddrPort {
	var sa sockaddr
	if putAddr(&sa, a, v6) == 0 {
		return netip.AddrPort{}
	}
	return addrOf(&sa)
}
