package udpsock

import (
	"net"
	"net/netip"
	"time"
)

// plain is the driver that moves one datagram per call of a net.PacketConn.
type plain struct {
	conn *Conn
	pc   net.PacketConn
	udp  *net.UDPConn // pc if it is one, else nil
}

func newPlain(pc net.PacketConn, c *Conn) *plain {
	udp, _ := pc.(*net.UDPConn)
	return &plain{conn: c, pc: pc, udp: udp}
}

func (d *plain) read(b []byte) (int, netip.AddrPort, error) {
	stats := &d.conn.stats
	for {
		n, from, err := d.readOnce(b)
		switch {
		case err == nil && from.IsValid():
			stats.datagramsIn.Add(1)
			stats.bytesIn.Add(uint64(n))
			stats.readBatches.Add(1)
			return n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), nil
		case err != nil && fatalRead(err):
			return 0, netip.AddrPort{}, err
		}
		stats.readErrors.Add(1)
	}
}

// readOnce reads one datagram; a source that is no UDP address is the zero
// AddrPort.
func (d *plain) readOnce(b []byte) (int, netip.AddrPort, error) {
	if d.udp != nil {
		return d.udp.ReadFromUDPAddrPort(b)
	}
	n, from, err := d.pc.ReadFrom(b)
	if udp, ok := from.(*net.UDPAddr); ok {
		return n, udp.AddrPort(), err
	}
	return n, netip.AddrPort{}, err
}

func (d *plain) receiveDrops() uint64 { return 0 }

func (d *plain) send(b *batch) {
	for i := range b.nd {
		dst := &b.dests[i]
		for k := dst.head; k >= 0; k = b.items[k].next {
			d.sendOne(b.bytes(k), dst.addr)
		}
	}
}

func (d *plain) sendOne(p []byte, to netip.AddrPort) {
	var err error
	if d.udp != nil {
		_, err = d.udp.WriteToUDPAddrPort(p, to)
	} else {
		_, err = d.pc.WriteTo(p, net.UDPAddrFromAddrPort(to))
	}
	switch {
	case err == nil:
		d.conn.stats.sent(1, len(p))
	case d.conn.closed.Load():
		d.conn.stats.drop(DropClosed, 1)
	default:
		d.conn.stats.drop(dropOf(err), 1)
	}
}

func (d *plain) setReadDeadline(t time.Time) error { return d.pc.SetReadDeadline(t) }

func (d *plain) close() error { return d.pc.Close() }
