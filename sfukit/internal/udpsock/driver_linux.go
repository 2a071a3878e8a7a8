package udpsock

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// mmsg is the driver that moves many datagrams per system call.
type mmsg struct {
	stats *counters
	udp   *net.UDPConn
	raw   syscall.RawConn // of udp

	readMu sync.Mutex
	rx     receiver // guarded by readMu, but for what Buffered reads

	tx sender // guarded by Conn.sendMu
}

func newDriver(udp *net.UDPConn, c *Conn) (driver, error) {
	raw, err := udp.SyscallConn()
	if err != nil {
		return nil, err
	}
	d := &mmsg{stats: &c.stats, udp: udp, raw: raw}
	d.rx.init(&c.stats)
	d.tx.init(&c.stats, c.local.IP.To4() == nil)
	err = raw.Control(func(fd uintptr) {
		// Kernels before 4.18 ignore the control message and would send a
		// train as one long datagram, so ask before using it.
		_, err := unix.GetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_SEGMENT)
		c.stats.trains.Store(err == nil)
	})
	if err != nil {
		return nil, fmt.Errorf("probe UDP_SEGMENT: %w", err)
	}
	return d, nil
}

func (d *mmsg) read(b []byte) (int, netip.AddrPort, error) {
	d.readMu.Lock()
	defer d.readMu.Unlock()
	for {
		if n, from, ok := d.rx.next(b); ok {
			return n, from, nil
		}
		if err := d.raw.Read(d.rx.call); err != nil {
			return 0, netip.AddrPort{}, err
		}
		if errno := d.rx.errno; errno != 0 {
			if fatalRead(errno) {
				return 0, netip.AddrPort{}, errno
			}
			d.stats.readErrors.Add(1)
		}
	}
}

func (d *mmsg) send(b *batch) {
	d.tx.load(b)
	if d.raw.Control(d.tx.call) != nil {
		d.stats.drop(DropClosed, b.n)
	}
	d.tx.batch = nil
}

func (d *mmsg) sendOne(p []byte, to netip.AddrPort) {
	d.tx.p, d.tx.to = p, to
	if d.raw.Control(d.tx.callOne) != nil {
		d.stats.drop(DropClosed, 1)
	}
	d.tx.p = nil // goes back to its owner
}

func (d *mmsg) setReadDeadline(t time.Time) error { return d.udp.SetReadDeadline(t) }

func (d *mmsg) close() error { return d.udp.Close() }
