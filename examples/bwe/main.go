// Command bwe estimates what a pion sender may send with package bwe, from the
// transport-wide feedback that RTPSender.ReadRTCP returns. Two PeerConnections
// in this process play both ends; the receiving one is pion as it comes.
package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/examples/internal/loop"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
)

func main() { loop.Main("bwe", 4*time.Second, run) }

func run(out io.Writer, howLong time.Duration) error {
	pair, err := loop.NewPair(transportCC)
	if err != nil {
		return err
	}
	kalman, err := bwe.NewKalman(bwe.KalmanConfig{})
	if err != nil {
		return err
	}
	e := &estimator{out: out, kalman: kalman}
	track, sender, err := film(pair)
	if err != nil {
		_ = pair.Close()
		return err
	}
	var reader sync.WaitGroup
	reader.Go(func() { e.read(sender) })
	err = e.send(track, sender, howLong)
	_ = pair.Close() // ends read
	reader.Wait()
	return err
}

// estimator is the leaf at work: numbers for what is sent, and what feedback on
// these numbers says about the link.
type estimator struct {
	out    io.Writer
	mu     sync.Mutex
	sent   bwe.History // guarded by mu
	kalman *bwe.Kalman // guarded by mu
}

// read feeds feedback to the estimator and prints the estimate twice a second.
func (e *estimator) read(sender *webrtc.RTPSender) {
	var printed time.Time
	for packets, _, err := sender.ReadRTCP(); err == nil; packets, _, err = sender.ReadRTCP() {
		now := time.Now()
		e.mu.Lock()
		for _, p := range packets {
			if fb, ok := p.(*rtcp.TransportLayerCC); ok {
				results, rtt := e.sent.Feedback(now, fb.BaseSequenceNumber, fb.ReferenceTime, symbols(fb), nil)
				e.kalman.OnFeedback(now, results, rtt)
			}
		}
		estimate, ok := e.kalman.Estimate(now)
		e.mu.Unlock()
		if ok && now.Sub(printed) > 500*time.Millisecond {
			printed = now
			fmt.Fprintf(e.out, "the link carries %v, limited by %v\n", estimate.Target, estimate.Term)
		}
	}
}
