package bwe

// Resent notes that the packet with the transport-wide number seq is sent a second
// time with all its bytes, the number among them: audio, for which browsers have
// no retransmission format. The first transmission was lost, says who asked for
// it, and the arrival of the second, measured against the time of the first, would
// look like a path that has suddenly become slow. So feedback from now on says
// Lost of the packet, whatever the receiver reports; one told Received stays so. A
// number that was not sent or is forgotten is passed over.
func (h *History) Resent(seq uint16) {
	if h.next == 0 {
		return
	}
	newest := h.next - 1
	if e := h.lookup(newest + int64(int16(seq-uint16(newest)))); e != nil {
		e.again = true
	}
}
