package pionx

import (
	"io"
	"sync/atomic"
	"time"

	"github.com/pion/transport/v4/packetio"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
)

// maxSSRCs is how many SSRCs a peer may send on, and how many speak of in its
// feedback. Pion keeps a stream of each for the life of the connection, so that
// whoever invents them would fill our memory. Feedback speaks of every line.
const maxSSRCs = 4096

// NewBuffer is pion's BufferFactory: pion writes every decrypted packet of an
// SSRC into the buffer it returns, on the goroutine that decrypted it. That
// write is our ingress: no queue, no copy and no reader per track, and
// retransmissions, probes and all feedback arrive like everything else. A
// factory runs under the SRTP session's lock and must not call back into pion.
func NewBuffer(h transport.Handler) func(packetio.BufferPacketType, uint32) io.ReadWriteCloser {
	var rtp, rtcp atomic.Int32 // SSRCs; each is counted by one session, but also as offers declare it
	var told atomic.Bool
	return func(kind packetio.BufferPacketType, ssrc uint32) io.ReadWriteCloser {
		seen := &rtp
		if kind == packetio.RTCPBufferPacket {
			seen = &rtcp
		}
		if seen.Add(1) > maxSSRCs {
			if !told.Swap(true) {
				h.State(transport.Misbehaved)
			}
			return discard{}
		}
		if kind == packetio.RTCPBufferPacket {
			return &rtcpTap{handler: h, ssrc: ssrc}
		}
		if sink := h.Stream(ssrc); sink != nil {
			return &rtpTap{sink: sink}
		}
		return discard{}
	}
}

// discard is the buffer of a stream nobody wants. Pion's own readers see its
// end at once.
type discard struct{}

func (discard) Read([]byte) (int, error)    { return 0, io.EOF }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) Close() error                { return nil }

type rtpTap struct {
	discard
	sink transport.Sink
}

func (t *rtpTap) Write(b []byte) (int, error) {
	t.sink.Packet(time.Now(), b)
	return len(b), nil
}

// rtcpTap receives the RTCP packets that speak of one SSRC. Pion delivers a
// packet once per SSRC it speaks of; only the first of them parses it and passes
// it on. What the kit has no use for is not parsed at all.
type rtcpTap struct {
	discard
	handler transport.Handler
	ssrc    uint32
}

func (t *rtcpTap) Write(b []byte) (int, error) {
	now := time.Now()
	for rest := b; len(rest) > 0; {
		n := packetLen(rest)
		if n == 0 {
			t.handler.Malformed()
			break
		}
		packet := rest[:n]
		rest = rest[n:]
		if ssrc, ok := firstSSRC(packet); !ok || ssrc != t.ssrc {
			continue
		}
		parsed, err := parse(packet)
		if err != nil {
			t.handler.Malformed()
			continue
		}
		t.handler.RTCP(now, parsed)
	}
	return len(b), nil
}
