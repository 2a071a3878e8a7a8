// Command layers picks an encoding of an incoming pion simulcast track with package
// layer, under a limit that changes, and makes one stream of what it picks with
// package rewrite. Two PeerConnections in this process play both ends.
package main

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/examples/internal/loop"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/layer"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

func main() { loop.Main("layers", 4*time.Second, run) }

func run(out io.Writer, howLong time.Duration) error {
	pair, err := loop.NewPair()
	if err != nil {
		return err
	}
	defer pair.Close()
	camera := pair.AddCamera()
	view, _ := pair.AddServerTrack(webrtc.MimeTypeVP8, "view")
	rewriter, err := rewrite.New(rewrite.Config{Codec: codec.VP8})
	if err != nil {
		return err
	}
	var rungs []layer.Rung // encoding i is source i+1 of the rewriter
	var mu sync.Mutex      // guards both, and keeps what goes to the view in order

	pair.Server.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { // once per encoding
		mu.Lock()
		rungs = append(rungs, layer.Rung{RID: layer.RID(t.RID()), Live: true})
		in := rewrite.Packet{Source: rewrite.Source(len(rungs)), Payload: &codec.Payload{}}
		mu.Unlock()
		for p, _, err := t.ReadRTP(); err == nil; p, _, err = t.ReadRTP() {
			in.Timestamp, in.Marker, in.Arrival = p.Timestamp, p.Marker, time.Now()
			in.Seq += int64(int16(p.SequenceNumber - uint16(in.Seq))) // unwrapped
			if codec.Parse(codec.VP8, p.Payload, in.Payload) != nil {
				continue
			}
			var to rewrite.Out
			mu.Lock()
			if rewriter.Map(&in, &to) == rewrite.Forwarded {
				rewrite.Patch(p.Payload, &in.Payload.Descriptor, &to)
				p.Header = rtp.Header{Version: 2, SequenceNumber: to.Seq, Timestamp: to.Timestamp, Marker: to.Marker}
				_ = view.WriteRTP(p)
			}
			mu.Unlock()
		}
	})
	if err := pair.Connect(); err != nil {
		return err
	}

	limits := []layer.RID{layer.Low, layer.High, layer.Medium}
	var shown rewrite.Source
	err = loop.Every(time.Second/30, howLong, func(n, of int) error {
		mu.Lock()
		best, _ := layer.NewLadder(rungs).BestFit(limits[n*len(limits)/of])
		rewriter.Want(rewrite.Source(1 + slices.IndexFunc(rungs, func(r layer.Rung) bool { return r.RID == best })))
		if now := rewriter.Current(); now != 0 && now != shown {
			shown = now
			fmt.Fprintf(out, "picture %d: the viewer sees %s\n", n, rungs[now-1].RID)
		}
		mu.Unlock()
		return camera.Shoot()
	})
	fmt.Fprintf(out, "the viewer got %+v\n", pair.Received("view"))
	return err
}
