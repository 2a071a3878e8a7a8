// Command bwe estimates what a pion sender may send with package bwe, from the
// transport-wide feedback that RTPSender.ReadRTCP returns. Two PeerConnections
// in this process play both ends; the receiving one is pion as it comes. Nothing is
// probed here: a sender that can, asks Probe every few milliseconds.
package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/examples/internal/loop"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
)

func main() { loop.Main("bwe", 4*time.Second, run) }

func run(out io.Writer, howLong time.Duration) error {
	pair, err := loop.NewPair()
	if err != nil {
		return err
	}
	var reader sync.WaitGroup
	defer reader.Wait()
	defer pair.Close() // ends the reader
	film, sender := pair.AddServerTrack(webrtc.MimeTypeVP8, "film")
	estimator, err := bwe.NewSendSide(bwe.SendSideConfig{})
	if err != nil {
		return err
	}
	if err := pair.Connect(); err != nil {
		return err
	}
	var sent bwe.History
	var mu sync.Mutex // guards sent and estimator

	reader.Go(func() {
		for packets, _, err := sender.ReadRTCP(); err == nil; packets, _, err = sender.ReadRTCP() {
			for _, p := range packets {
				if fb, ok := p.(*rtcp.TransportLayerCC); ok {
					var symbols []bwe.Symbol
					for received, delta := range loop.Arrivals(fb) {
						symbols = append(symbols, bwe.Symbol{Received: received, Delta: delta})
					}
					now := time.Now()
					mu.Lock()
					results, rtt := sent.Feedback(now, fb.BaseSequenceNumber, fb.ReferenceTime, symbols, nil)
					estimator.OnFeedback(now, results, rtt)
					mu.Unlock()
				}
			}
		}
	})

	// 1000 bytes every 5 ms are 1.6 Mbit/s.
	ext := loop.ExtensionID(sender.GetParameters().RTPParameters, sdp.TransportCCURI)
	return loop.Every(5*time.Millisecond, howLong, func(n, _ int) error {
		p := loop.Packet(n, 450, make([]byte, 1000))
		now := time.Now()
		mu.Lock()
		estimator.OnSent(now, len(p.Payload))
		seq := sent.Sent(now, len(p.Payload), 0)
		estimate, ok := estimator.Estimate(now)
		mu.Unlock()
		if ok && n%100 == 99 {
			fmt.Fprintf(out, "the link carries %v, limited by %v\n", estimate.Target, estimate.Term)
		}
		if err := p.SetExtension(ext, binary.BigEndian.AppendUint16(nil, seq)); err != nil {
			return err
		}
		return film.WriteRTP(p)
	})
}
