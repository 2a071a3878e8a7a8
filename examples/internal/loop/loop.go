// Package loop connects two PeerConnections inside one process and makes up media
// for them, so that the examples beside it need no network, browser or server.
// What they show is what they do with the packets.
package loop

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// Main runs an example for howLong and exits with 1 if it fails.
func Main(name string, howLong time.Duration, run func(io.Writer, time.Duration) error) {
	if err := run(os.Stdout, howLong); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// Every calls f once in each interval until howLong has passed or f fails. The
// arguments of f are the number of the call, from 0, and how many there will be.
func Every(interval, howLong time.Duration, f func(n, of int) error) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	of := int(howLong / interval)
	for n := range of {
		<-tick.C
		if err := f(n, of); err != nil {
			return err
		}
	}
	return nil
}

// Packet returns packet n of a stream whose timestamp advances by step ticks. It
// keeps payload.
func Packet(n int, step uint32, payload []byte) *rtp.Packet {
	return &rtp.Packet{
		Header:  rtp.Header{Version: 2, SequenceNumber: uint16(n), Timestamp: uint32(n) * step, Marker: true},
		Payload: payload,
	}
}

// ExtensionID returns the id under which a header extension was negotiated, 0
// if it was not.
func ExtensionID(p webrtc.RTPParameters, uri string) uint8 {
	for _, e := range p.HeaderExtensions {
		if e.URI == uri {
			return uint8(e.ID)
		}
	}
	return 0
}
