// Package rewrite makes one continuous RTP stream for one subscriber line out
// of switching, gappy, reordered sources. Payloads are read by package codec;
// which source a line should have is decided elsewhere (package layer).
//
// # What must not happen
//
// A receiver freezes after a switch for one of four reasons, each of which this
// package rules out:
//
//   - The timestamp steps too far. A new source begins at most one second
//     beyond the time that really passed since the packet before.
//   - The timestamp step is a guess, and the errors of many guesses add up. New
//     sources are placed on an absolute time line, by the sender's clock or
//     until that is known by the local one. The error of one switch is gone at
//     the next.
//   - The source changes without a key frame. It changes only on the first
//     packet of one; until then the old source keeps flowing.
//   - The same picture comes twice. A key frame that was captured before the
//     last picture of the old source still gets a later timestamp than that,
//     and a packet of the old source never follows one of the new.
//
// Inside one source's run the offset between its timestamps and the line's is
// constant, as a decoder's model of the clock and RTCP sender reports require.
//
// # Layers
//
// A source made of layers can be thinned: WantLayers. Whole frames are left out,
// from a picture's beginning on, and come back only where the source says that a
// receiver can follow. What remains looks as if nothing had been there:
//
//   - Sequence numbers close up, and so do the picture ids of VP8, by which its
//     receivers notice loss. Those of VP9 and the frame numbers of AV1 keep
//     their gaps, because frames refer to each other by the distance.
//   - The last packet of a picture has the marker bit, without which receivers
//     of VP9 and AV1 wait for the layers above.
//   - A packet of a dropped layer that comes when its number is spoken for goes
//     out empty (Out.Empty), because receivers of H264 wait for every number.
//
// One thing cannot be mended: the picture id that was kept for a VP8 picture that
// came late, or never, and proved to be of a dropped layer. Receivers wait for it
// with the temporal layers above the base until the next sync frame; the base
// layer goes on.
package rewrite
