package main

import (
	"encoding/binary"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/gcc"
	"github.com/pion/logging"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/sim"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// runPion runs a scenario with pion's send-side estimator (pkg/gcc of
// pion/interceptor). That one reads the clock and has goroutines of its own, so it
// runs in a bubble of testing/synctest, whose clock begins where that of a
// simulation does and is moved along with it.
func runPion(t *testing.T, s sim.Scenario) (result sim.Result, err error) {
	synctest.Test(t, func(*testing.T) {
		var made []*pionGCC
		result, err = s.Run(sim.Policy{Name: "pion-gcc", New: func() bwe.Estimator {
			g := newPionGCC()
			made = append(made, g)
			return g
		}})
		for _, g := range made {
			err = errors.Join(err, g.failed, g.bwe.Close())
		}
	})
	return result, err
}

// pionGCC is pion's estimator behind the kit's interface. It paces nothing: the
// sender does.
type pionGCC struct {
	bwe    *gcc.SendSideBWE
	writer interceptor.RTPWriter
	next   uint16 // transport-wide number, as bwe.History gives them out
	failed error
}

const (
	pionSSRC, pionExt = 1, 1
	transportCC       = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
)

func newPionGCC() *pionGCC {
	logs := logging.NewDefaultLoggerFactory()
	logs.DefaultLogLevel = logging.LogLevelDisabled
	g := &pionGCC{}
	g.bwe, g.failed = gcc.NewSendSideBWE(
		gcc.SendSideBWEInitialBitrate(300_000), gcc.SendSideBWEPacer(gcc.NewNoOpPacer()), gcc.WithLoggerFactory(logs))
	g.writer = g.bwe.AddStream(&interceptor.StreamInfo{
		SSRC: pionSSRC, RTPHeaderExtensions: []interceptor.RTPHeaderExtension{{URI: transportCC, ID: pionExt}},
	}, interceptor.RTPWriterFunc(func(_ *rtp.Header, payload []byte, _ interceptor.Attributes) (int, error) {
		return len(payload), nil
	}))
	return g
}

// follow moves the bubble's clock to the simulation's.
func follow(now time.Time) { time.Sleep(time.Until(now)) }

func (g *pionGCC) OnSent(now time.Time, size int) {
	follow(now)
	h := &rtp.Header{Version: 2, SSRC: pionSSRC}
	err := h.SetExtension(pionExt, binary.BigEndian.AppendUint16(nil, g.next))
	g.next++
	if err == nil {
		_, err = g.writer.Write(h, make([]byte, max(0, size-h.MarshalSize())), nil)
	}
	g.failed = errors.Join(g.failed, err)
}

// OnFeedback hands the results on as transport-wide feedback, one message for each
// run of packets without a gap.
func (g *pionGCC) OnFeedback(now time.Time, results []bwe.Packet, _ time.Duration) {
	follow(now)
	for len(results) > 0 {
		n := 1
		for n < len(results) && results[n].Seq == results[n-1].Seq+1 {
			n++
		}
		g.failed = errors.Join(g.failed, g.bwe.WriteRTCP([]rtcp.Packet{feedback(results[:n])}, nil))
		synctest.Wait()
		results = results[n:]
	}
}

func feedback(results []bwe.Packet) *rtcp.TransportLayerCC {
	const reference, tick = 64 * time.Millisecond, 250 * time.Microsecond
	fb := &rtcp.TransportLayerCC{BaseSequenceNumber: uint16(results[0].Seq), PacketStatusCount: uint16(len(results))}
	var at time.Duration
	begun := false
	for _, p := range results {
		symbol := uint16(rtcp.TypeTCCPacketNotReceived)
		if p.State == bwe.Received {
			arrival := p.RecvTime.Sub(time.Unix(0, 0))
			if !begun {
				begun = true
				fb.ReferenceTime = uint32(arrival / reference)
				at = time.Duration(fb.ReferenceTime) * reference
			}
			delta := (arrival - at).Round(tick)
			at += delta
			symbol = rtcp.TypeTCCPacketReceivedLargeDelta
			if delta >= 0 && delta <= 255*tick {
				symbol = rtcp.TypeTCCPacketReceivedSmallDelta
			}
			fb.RecvDeltas = append(fb.RecvDeltas, &rtcp.RecvDelta{Type: symbol, Delta: delta.Microseconds()})
		}
		fb.PacketChunks = append(fb.PacketChunks, &rtcp.RunLengthChunk{
			Type: rtcp.TypeTCCRunLengthChunk, PacketStatusSymbol: symbol, RunLength: 1,
		})
	}
	return fb
}

func (g *pionGCC) OnREMB(time.Time, units.Bitrate) {}
func (g *pionGCC) OnHint(time.Time, units.Bitrate) {}

func (g *pionGCC) Estimate(time.Time) (bwe.Estimate, bool) {
	return bwe.Estimate{Target: units.Bitrate(g.bwe.GetTargetBitrate()), Term: bwe.TermNative}, true
}
