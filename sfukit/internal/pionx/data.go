package pionx

import (
	"errors"
	"io"
	"sync/atomic"

	"github.com/pion/datachannel"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/tasks"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
)

// dataChannels opens the application's channels on one connection and reads
// them, one goroutine each. Pion's own read loop would keep 64 KiB per channel.
type dataChannels struct {
	table   []transport.DataChannel
	handler transport.Handler
	open    []atomic.Pointer[channel]
	opened  bool // guarded by the Conn's signalling lock
	readers tasks.Group
}

// channel is one open, detached data channel.
type channel struct {
	pion *webrtc.DataChannel
	raw  datachannel.ReadWriteCloser
}

func newDataChannels(table []transport.DataChannel, h transport.Handler) *dataChannels {
	return &dataChannels{table: table, handler: h, open: make([]atomic.Pointer[channel], len(table))}
}

// create makes the channels once the client has offered a data section. Done
// earlier, our next offer would grow such a section by itself.
func (d *dataChannels) create(pc *webrtc.PeerConnection) error {
	if d.opened {
		return nil
	}
	d.opened = true
	for i, row := range d.table {
		ordered, negotiated, id := !row.Unordered, true, row.ID
		dc, err := pc.CreateDataChannel(row.Label, &webrtc.DataChannelInit{
			Ordered: &ordered, Negotiated: &negotiated, ID: &id,
			MaxRetransmits: row.MaxRetransmits, MaxPacketLifeTime: row.MaxLifetimeMS,
		})
		if err != nil {
			return err
		}
		dc.OnOpen(func() { d.start(i, dc) })
	}
	return nil
}

func (d *dataChannels) start(i int, dc *webrtc.DataChannel) {
	raw, err := dc.Detach()
	if err != nil {
		return
	}
	d.readers.Go(func() {
		d.open[i].Store(&channel{pion: dc, raw: raw})
		d.read(i, raw)
		d.open[i].Store(nil)
	})
}

// firstBuffer is what a channel's reader starts with; it grows to the channel's
// limit when a message needs it.
const firstBuffer = 1 << 10

func (d *dataChannels) read(i int, raw datachannel.ReadWriteCloser) {
	limit := d.table[i].MaxMessage
	buf := make([]byte, min(firstBuffer, limit))
	for {
		n, text, err := raw.ReadDataChannel(buf)
		if errors.Is(err, io.ErrShortBuffer) {
			if len(buf) >= limit {
				_ = raw.Close() // larger than the SDP allows: the peer broke the rules
				return
			}
			buf = make([]byte, min(2*len(buf), limit))
			continue
		}
		if err != nil {
			return
		}
		d.handler.Data(i, text, buf[:n])
	}
}

// send writes one message without ever waiting.
func (d *dataChannels) send(i int, text bool, msg []byte) transport.DataDrop {
	c := d.open[i].Load()
	if c == nil {
		return transport.DataNoChannel
	}
	row := &d.table[i]
	if len(msg) > row.MaxMessage {
		return transport.DataTooLarge
	}
	if c.pion.BufferedAmount()+uint64(len(msg)) > uint64(row.MaxBuffered) {
		return transport.DataBuffered
	}
	if _, err := c.raw.WriteDataChannel(msg, text); err != nil {
		return transport.DataWriteError
	}
	return transport.DataSent
}

// wait returns when every reader has ended; the connection must be closed.
func (d *dataChannels) wait() { d.readers.Wait() }
