package codec

// REDBlock is one redundant block of a RED payload, RFC 2198 section 3: audio of
// an earlier packet.
type REDBlock struct {
	// PT is the payload type the block has.
	PT uint8
	// Offset is how far the block's timestamp lies before that of the packet, in
	// ticks of its clock, 0 to 16383.
	Offset uint16
	// Data is the block, in the memory of the payload. It may be empty.
	Data []byte
}

// REDBlocks appends to dst the redundant blocks of a payload in the order in which
// they stand, oldest first as senders write them, and returns it. Ok is false, and
// dst comes back as it was, for a payload that [PrimaryRED] refuses. It allocates
// only where dst has no room, for at most 32 blocks.
func REDBlocks(payload []byte, dst []REDBlock) (blocks []REDBlock, ok bool) {
	if _, _, ok := PrimaryRED(payload); !ok {
		return dst, false
	}
	data := payload
	for data[0]&0x80 != 0 {
		data = data[redHeader:]
	}
	data = data[1:] // what follows the headers
	for payload[0]&0x80 != 0 {
		n := blockLength(payload)
		dst = append(dst, REDBlock{
			PT:     payload[0] & 0x7f,
			Offset: uint16(payload[1])<<6 | uint16(payload[2])>>2,
			Data:   data[:n:n],
		})
		payload, data = payload[redHeader:], data[n:]
	}
	return dst, true
}
