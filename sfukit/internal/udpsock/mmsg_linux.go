package udpsock

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsghdr is struct mmsghdr of recvmmsg(2) and sendmmsg(2). Go pads its end
// as C does.
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32
}

// segmentControl is a control buffer that holds one UDP_SEGMENT message: the
// header and the segment size, padded to CMSG_SPACE(sizeof(uint16)).
type segmentControl struct {
	hdr  unix.Cmsghdr
	size uint16
	_    [unsafe.Sizeof(uintptr(0)) - 2]byte
}

func (c *segmentControl) set(size int) {
	c.hdr.Level = unix.SOL_UDP
	c.hdr.Type = unix.UDP_SEGMENT
	c.hdr.SetLen(unix.CmsgLen(2))
	c.size = uint16(size)
}

// recvmmsg and sendmmsg return how many of msgs were done. With an error that
// is none: the kernel reports an error behind the first message at the next
// call.
func recvmmsg(fd uintptr, msgs []mmsghdr) (int, syscall.Errno) {
	n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&msgs[0])), uintptr(len(msgs)),
		unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

func sendmmsg(fd uintptr, msgs []mmsghdr) (int, syscall.Errno) {
	n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&msgs[0])), uintptr(len(msgs)),
		unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// sockaddr is large enough for both families; an IPv4 address lies in it as a
// RawSockaddrInet4.
type sockaddr = unix.RawSockaddrInet6

// putAddr writes a as a socket of the given family wants it and returns the
// length, or zero if such a socket cannot reach it.
func putAddr(sa *sockaddr, a netip.AddrPort, v6 bool) uint32 {
	ip := a.Addr()
	if !v6 {
		if !ip.Is4() {
			return 0
		}
		sa4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		*sa4 = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: ip.As4()}
		putPort(&sa4.Port, a.Port())
		return unix.SizeofSockaddrInet4
	}
	*sa = sockaddr{Family: unix.AF_INET6, Addr: ip.As16()} // IPv4 becomes IPv4-mapped
	putPort(&sa.Port, a.Port())
	if zone := ip.Zone(); zone != "" {
		sa.Scope_id = scopeOf(zone)
	}
	return unix.SizeofSockaddrInet6
}

// addrOf is the inverse of putAddr: IPv4-mapped addresses become IPv4, and a
// scope is a zone in decimal. An address of another family is the zero value.
func addrOf(sa *sockaddr) netip.AddrPort {
	switch sa.Family {
	case unix.AF_INET:
		sa4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		return netip.AddrPortFrom(netip.AddrFrom4(sa4.Addr), portOf(&sa4.Port))
	case unix.AF_INET6:
		ip := netip.AddrFrom16(sa.Addr).Unmap()
		if sa.Scope_id != 0 {
			ip = ip.WithZone(strconv.FormatUint(uint64(sa.Scope_id), 10))
		}
		return netip.AddrPortFrom(ip, portOf(&sa.Port))
	}
	return netip.AddrPort{}
}

// Ports are in network byte order in a socket address.
func putPort(p *uint16, port uint16) {
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(p))[:], port)
}
func portOf(p *uint16) uint16 { return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(p))[:]) }

// scopeOf returns the interface index a zone stands for, as a number or as a
// name, or zero, with which the kernel refuses a link-local destination. Only
// link-local peers have zones, so this is not made fast.
func scopeOf(zone string) uint32 {
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n)
	}
	if ifi, err := net.InterfaceByName(zone); err == nil {
		return uint32(ifi.Index)
	}
	return 0
}
