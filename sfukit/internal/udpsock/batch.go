package udpsock

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// The batch holds a video frame for a large room: six packets to each of 85
// subscribers, say. Both limits are reached together at 1280 bytes, the
// largest datagram WebRTC stacks send.
const (
	batchDatagrams = 512
	batchBytes     = batchDatagrams * 1280

	// maxDatagram is the largest UDP payload over IPv4 (65535 less the
	// headers), and within batchBytes.
	maxDatagram = 65507
)

// batch collects datagrams, grouped by destination. The zero value is empty.
type batch struct {
	n     int // datagrams
	used  int // bytes of arena
	items [batchDatagrams]item

	nd    int                        // destinations
	dests [batchDatagrams]dest       // in the order of their first datagram
	table [2 * batchDatagrams]uint16 // open addressing: 1 + index into dests, 0 is free

	arena [batchBytes]byte
}

// item is one datagram: its place in the arena and the next to the same
// destination, or -1.
type item struct {
	off, len int32
	next     int32
}

// dest is a destination and the chain of its datagrams.
type dest struct {
	addr       netip.AddrPort
	head, tail int32
}

// add copies p and says whether it found room.
func (b *batch) add(p []byte, to netip.AddrPort) bool {
	if b.n == batchDatagrams || len(p) >= batchBytes-b.used { // an empty p needs an address, too
		return false
	}
	i := int32(b.n)
	b.items[i] = item{off: int32(b.used), len: int32(len(p)), next: -1}
	b.n++
	b.used += copy(b.arena[b.used:], p)

	d, known := b.find(to)
	if known {
		b.items[d.tail].next = i
	} else {
		d.head = i
	}
	d.tail = i
	return true
}

// find returns the chain of a destination, new or known.
func (b *batch) find(to netip.AddrPort) (d *dest, known bool) {
	const mask = uint64(len(b.table) - 1)
	for h := hash(to); ; h++ {
		slot := &b.table[h&mask]
		if *slot == 0 {
			d = &b.dests[b.nd]
			d.addr = to
			b.nd++
			*slot = uint16(b.nd)
			return d, false
		}
		if d = &b.dests[*slot-1]; d.addr == to {
			return d, true
		}
	}
}

// bytes returns the datagram i, which stays in the arena.
func (b *batch) bytes(i int32) []byte {
	it := &b.items[i]
	return b.arena[it.off : it.off+it.len : it.off+it.len]
}

// reset empties the batch.
func (b *batch) reset() {
	b.n, b.used, b.nd = 0, 0, 0
	clear(b.table[:])
}

// hash mixes an address and a port. It need not resist an attacker: a batch
// has at most as many destinations as there are admitted peers, and the table
// is never more than half full.
func hash(a netip.AddrPort) uint64 {
	ip := a.Addr().As16()
	hi := binary.LittleEndian.Uint64(ip[:8]) + uint64(a.Port())*0x9e3779b97f4a7c15
	lo := binary.LittleEndian.Uint64(ip[8:]) ^ 0xbf58476d1ce4e5b9
	x, y := bits.Mul64(hi|1, lo)
	return x ^ y
}
