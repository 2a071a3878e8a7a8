// Command layers picks one encoding of an incoming pion simulcast track with
// package layer and sends it on as one stream with package rewrite. The limit
// changes in the course of the run. Two PeerConnections in this process play
// both ends.
package main

import (
	"io"
	"time"

	"github.com/pion/rtp"

	"github.com/anatolykoptev/oxpulse-sfu/examples/internal/loop"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

func main() { loop.Main("layers", 4*time.Second, run) }

func run(out io.Writer, howLong time.Duration) error {
	rewriter, err := rewrite.New(rewrite.Config{Codec: codec.VP8})
	if err != nil {
		return err
	}
	return call(out, howLong, &switcher{rewriter: rewriter})
}

// forward takes one packet of the encoding with number i, counted from 0. It
// returns the packet to send, or nil.
func (s *switcher) forward(now time.Time, i int, p *rtp.Packet) *rtp.Packet {
	var payload codec.Payload
	if codec.Parse(codec.VP8, p.Payload, &payload) != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.encodings[i]
	e.seq += int64(int16(p.SequenceNumber - uint16(e.seq)))
	if payload.Start {
		e.live.Frame(now)
	}
	if payload.Width > 0 {
		e.rung.Width, e.rung.Height = int(payload.Width), int(payload.Height)
	}
	s.rewriter.Want(s.choose(now))

	var out rewrite.Out
	meta := rewrite.Packet{
		Source: rewrite.Source(i + 1), Seq: e.seq, Timestamp: p.Timestamp, Marker: p.Marker, Arrival: now, Payload: &payload,
	}
	if s.rewriter.Map(&meta, &out) != rewrite.Forwarded {
		return nil
	}
	rewrite.Patch(p.Payload, &payload.Descriptor, &out)
	header := rtp.Header{Version: 2, SequenceNumber: out.Seq, Timestamp: out.Timestamp, Marker: out.Marker}
	return &rtp.Packet{Header: header, Payload: p.Payload}
}
