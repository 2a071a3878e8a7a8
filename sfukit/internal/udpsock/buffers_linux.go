package udpsock

import (
	"fmt"
	"net"
	"unsafe"

	"golang.org/x/sys/unix"
)

// setBuffers asks for buffers of the given sizes in bytes and returns what was
// granted. With CAP_NET_ADMIN the sizes are not bound by rmem_max and wmem_max.
func setBuffers(udp *net.UDPConn, receive, send int) (gotReceive, gotSend int, err error) {
	raw, err := udp.SyscallConn()
	if err != nil {
		return 0, 0, err
	}
	var errReceive, errSend error
	err = raw.Control(func(fd uintptr) {
		gotReceive, errReceive = setBuffer(int(fd), unix.SO_RCVBUFFORCE, unix.SO_RCVBUF, receive)
		gotSend, errSend = setBuffer(int(fd), unix.SO_SNDBUFFORCE, unix.SO_SNDBUF, send)
	})
	for _, e := range []error{errReceive, errSend} {
		if err == nil {
			err = e
		}
	}
	return gotReceive, gotSend, err
}

func setBuffer(fd, force, option, size int) (int, error) {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, force, size) != nil {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, size); err != nil {
			return 0, fmt.Errorf("set socket buffer of %d bytes: %w", size, err)
		}
	}
	got, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, option)
	if err != nil {
		return 0, fmt.Errorf("read socket buffer size: %w", err)
	}
	return got / 2, nil // socket(7): the kernel doubles the value for its own records
}

// receiveDrops returns how many datagrams the kernel discarded because the
// receive buffer was full or their checksum was wrong.
func (d *mmsg) receiveDrops() (drops uint64) {
	// Failure leaves zero, as on a kernel before 4.12, which lacks SO_MEMINFO.
	_ = d.raw.Control(func(fd uintptr) {
		// Nine values, of which the last is SK_MEMINFO_DROPS (linux/sock_diag.h).
		var info [9]uint32
		size := uint32(unsafe.Sizeof(info))
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		if errno == 0 {
			drops = uint64(info[8])
		}
	})
	return drops
}
