package codec

// maxREDBlocks bounds the block headers that PrimaryRED walks through. Browsers
// send at most a handful.
const maxREDBlocks = 32

// PrimaryRED finds the primary (newest) block in a redundant audio payload,
// RFC 2198 section 3, and the payload type it has. Primary shares the memory
// of payload and may be empty (a discontinuous-transmission packet). Ok is
// false when the block headers do not fit the payload.
func PrimaryRED(payload []byte) (primary []byte, pt uint8, ok bool) {
	//    0                   1                   2                   3
	//   |1|   block PT  |  timestamp offset         |   block length    |  redundant
	//   |0|   block PT  |                                                  primary
	skip := 0
	for range maxREDBlocks {
		if len(payload) == 0 {
			return nil, 0, false
		}
		if payload[0]&0x80 == 0 {
			pt, payload = payload[0]&0x7f, payload[1:]
			if skip > len(payload) {
				return nil, 0, false
			}
			return payload[skip:], pt, true
		}
		if len(payload) < redHeader {
			return nil, 0, false
		}
		skip += blockLength(payload)
		payload = payload[redHeader:]
	}
	return nil, 0, false
}
