package pionx

import (
	"encoding/binary"
	"errors"
	"math/bits"

	"github.com/pion/rtcp"
)

// maxStatuses is how many packets one transport-wide feedback message may speak of:
// more than any receiver collects between two messages, less than the 65535 that a
// dozen octets can claim.
const maxStatuses = 8192

var errOversized = errors.New("pionx: transport-wide feedback claims more than it holds")

// packetLen returns the length of the RTCP packet that b begins with (RFC 3550
// section 6.4.1), 0 if it is none.
func packetLen(b []byte) int {
	if len(b) < 4 || b[0]>>6 != 2 {
		return 0
	}
	n := 4 * (1 + int(binary.BigEndian.Uint16(b[2:])))
	if n > len(b) {
		return 0
	}
	return n
}

// firstSSRC returns the first SSRC that an RTCP packet speaks of, in pion's order,
// without parsing it. It reports false for kinds the kit has no use for, and where
// there is none.
func firstSSRC(b []byte) (ssrc uint32, ok bool) {
	at, count := 0, b[0]&0x1f
	switch kind := rtcp.PacketType(b[1]); {
	case kind == rtcp.TypeSenderReport && count == 0:
		at = 4
	case kind == rtcp.TypeSenderReport:
		at = 28
	case kind == rtcp.TypeReceiverReport && count > 0:
		at = 8
	case kind == rtcp.TypeTransportSpecificFeedback && (count == rtcp.FormatTLN || count == rtcp.FormatTCC),
		kind == rtcp.TypePayloadSpecificFeedback && count == rtcp.FormatPLI:
		at = 8
	case kind == rtcp.TypeTransportSpecificFeedback && count == rtcp.FormatCCFB && len(b) >= 20: // it has a stream
		at = 8
	case kind == rtcp.TypePayloadSpecificFeedback && count == rtcp.FormatFIR:
		at = 12
	case kind == rtcp.TypePayloadSpecificFeedback && count == rtcp.FormatREMB:
		at = 20
	}
	if at == 0 || len(b) < at+4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(b[at:]), true
}

// parse parses one RTCP packet.
func parse(b []byte) (rtcp.Packet, error) {
	if rtcp.PacketType(b[1]) == rtcp.TypeTransportSpecificFeedback && b[0]&0x1f == rtcp.FormatTCC && !holdsDeltas(b) {
		return nil, errOversized
	}
	packets, err := rtcp.Unmarshal(b)
	if err != nil {
		return nil, err
	}
	return packets[0], nil
}

// holdsDeltas reports whether a transport-wide feedback message
// (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1) is as long as its
// chunks say. Pion allocates for every packet that they claim to have arrived before
// it looks.
func holdsDeltas(b []byte) bool {
	if len(b) < 20 {
		return false
	}
	count := int(binary.BigEndian.Uint16(b[14:]))
	if count > maxStatuses {
		return false
	}
	at, deltas := 20, 0
	for n := 0; n < count; at += 2 {
		if at+2 > len(b) {
			return false
		}
		chunk := binary.BigEndian.Uint16(b[at:])
		switch {
		case chunk>>15 == 0: // a run of one symbol
			run := min(int(chunk&0x1fff), count-n)
			switch chunk >> 13 {
			case rtcp.TypeTCCPacketReceivedSmallDelta:
				deltas += run
			case rtcp.TypeTCCPacketReceivedLargeDelta:
				deltas += 2 * run
			}
			n += run
		case chunk>>14 == 2: // 14 symbols of one bit
			deltas += bits.OnesCount16(chunk & 0x3fff)
			n += 14
		default: // 7 symbols of two bits
			deltas += bits.OnesCount16(chunk&0x1555) + 2*bits.OnesCount16(chunk&0x2aaa)
			n += 7
		}
	}
	return at+deltas <= len(b)
}
