package codec

import "encoding/binary"

const (
	// redHeader is the size of a redundant block's header, RFC 2198 section 3.
	redHeader = 4
	// maxREDOffset and maxREDLength are the greatest values of its two fields: 14
	// bits of timestamp offset, a third of a second of Opus, and 10 bits of length.
	maxREDOffset = 1<<14 - 1
	maxREDLength = 1<<10 - 1
	// maxREDPayload leaves room for headers and the SRTP tag in any datagram that
	// the internet carries whole.
	maxREDPayload = 1200
)

// AppendRED appends to dst a RED payload (RFC 2198 section 3) of two blocks, both of
// the payload type pt: earlier, whose timestamp lies offset ticks before that of
// the packet, and primary. It reports false, and returns dst as it was, when the
// format cannot say so or the packet would become too large: an offset of 0 or
// above 16383, an earlier block that is empty or longer than 1023 bytes, more than
// 1200 bytes together. A sender then sends the primary block by itself. All
// arguments are borrowed; it allocates only where dst has no room.
func AppendRED(dst []byte, pt uint8, offset uint32, earlier, primary []byte) (payload []byte, ok bool) {
	size := redHeader + 1 + len(earlier) + len(primary)
	if offset == 0 || offset > maxREDOffset || len(earlier) == 0 || len(earlier) > maxREDLength || size > maxREDPayload {
		return dst, false
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(0x80|pt&0x7f)<<24|offset<<10|uint32(len(earlier)))
	dst = append(dst, pt&0x7f)
	return append(append(dst, earlier...), primary...), true
}

// blockLength reads the length field of a redundant block's header.
func blockLength(header []byte) int { return int(header[2]&0x03)<<8 | int(header[3]) }
