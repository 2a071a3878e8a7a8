package codec

// RewriteRED gives every block of a RED payload (RFC 2198 section 3) the payload
// type pt, in place: a receiver may know the inner format by another number than
// the sender. A payload that ends inside its headers is changed as far as it goes.
func RewriteRED(payload []byte, pt uint8) {
	for len(payload) > 0 {
		more := payload[0]&0x80 != 0
		payload[0] = payload[0]&0x80 | pt&0x7f
		if !more || len(payload) < redHeader {
			return
		}
		payload = payload[redHeader:]
	}
}
