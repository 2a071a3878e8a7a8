// Package dd reads and writes the AV1 dependency descriptor, an RTP header
// extension that says which frames need which, and chooses the frames one
// subscriber gets. Package codec reads the payload itself; package rewrite
// makes the subscriber's stream.
//
// The format is appendix A of "RTP Payload Format For AV1" (Alliance for Open
// Media); sections named in this package are of that document. A sender says
// once, with a key frame, what kinds of frames it will send (a [Structure] of
// templates), and then names a template in every packet. A decode target is the
// set of frames that a receiver of some spatial and temporal quality needs; a
// chain is a sequence of frames each of which names the one before it, so that
// a loss shows at once.
//
// # Forwarding
//
// One [Parser] for each source (SSRC) reads every packet of it, one [Selector]
// and one [Line] for each subscriber line do the rest:
//
//	if parser.Parse(extension, &d) != nil {
//		drop // no receiver could use the packet
//	}
//	if !selector.Take(&d, timestamp) {
//		skip // close up the RTP sequence numbers
//	}
//	change, ok := line.Map(&d, selector.Active(&d))
//	if !ok {
//		drop // too late
//	}
//	marker = marker || selector.Ends(&d)
//	extension = dd.Append(buf[:0], &d, change)
//
// When the line changes its source, call Reset and Begin at the first packet of
// the key frame, before Take and Map. Keep the Change with the packet for
// retransmissions: Append writes the same bytes again.
//
// # What receivers insist on
//
// These are the rules of libwebrtc (RtpVideoStreamReceiver2 and what follows
// it), for a stream whose packets have the extension:
//
//   - Every packet of a frame carries it, retransmissions included; a frame of
//     which one packet lacks it is never complete. Padding has none.
//   - A packet with a template of no known structure is dropped. The structure
//     is the one attached last, so templates of consecutive structures must not
//     share numbers; Line sees to that.
//   - A structure is attached to the first packet of a key frame and to no
//     other: a packet that has it and does not start a frame is dropped, and a
//     frame that has it counts as a key frame.
//   - A key frame whose number is lower than that of the one before is dropped,
//     so numbers go on over a change of source. Gaps are harmless: references
//     are differences, and frames that are not forwarded keep their numbers.
//   - A picture ends with the RTP marker bit, so it goes to the last packet of
//     the highest spatial layer that is forwarded.
//   - A frame with more than 5 references is dropped.
//
// A receiver that has not negotiated the extension decodes the lowest spatial
// layer only, so that is what to want for it; Chromium does not ask for the
// extension in its own offers to receive. A structure of three spatial layers
// takes about 95 bytes, which needs two-byte header extensions (RFC 8285 section
// 4.3).
package dd
