package nack

// Pair is one entry of a generic NACK (RFC 4585 section 6.2.1): the packet
// PacketID is lost, and for every bit i of LostPackets, counting from the least
// significant as 0, so is PacketID+i+1.
type Pair struct {
	PacketID    uint16
	LostPackets uint16
}

// Pairs appends to dst the pairs that say exactly seqs, and returns it. Numbers
// that rise, modulo 2^16, as [Generator] returns them, need the fewest pairs;
// any order is right. Nothing is kept, and nothing allocated if dst has room.
func Pairs(seqs []uint16, dst []Pair) []Pair {
	open := false // whether the last pair in dst is ours
	for _, seq := range seqs {
		if open {
			last := &dst[len(dst)-1]
			if d := seq - last.PacketID; d == 0 {
				continue
			} else if d <= 16 {
				last.LostPackets |= 1 << (d - 1)
				continue
			}
		}
		dst = append(dst, Pair{PacketID: seq})
		open = true
	}
	return dst
}
