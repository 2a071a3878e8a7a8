package sfukit_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

// The table of the data tests, by label.
var dataTable = []sfukit.DataChannel{
	{Label: "chat", ID: 1},
	{Label: "up", ID: 2, Direction: sfukit.DataToServer},
	{Label: "down", ID: 3, Direction: sfukit.DataFromServer},
	{Label: "loose", ID: 4, Unordered: true, MaxRetransmits: ptr(uint16(0)), MaxMessage: 1000},
	{Label: "bulk", ID: 5, MaxMessage: 256 << 10, MaxBuffered: 512 << 10},
}

// message is one that came in.
type message struct {
	label, text, binary string // one of text and binary is empty
}

// dataClient is a client with every channel of the table.
type dataClient struct {
	*client
	channels map[string]*webrtc.DataChannel

	box  sync.Mutex
	got  []message // guarded by box
	size []int     // of messages too long to keep; guarded by box
}

// joinData joins a client and waits until all its channels are open, here and
// at the server.
func joinData(t *testing.T, reg *sfukit.Registry, room sfukit.RoomID, id sfukit.PeerID, rows ...sfukit.DataChannel) *dataClient {
	t.Helper()
	d := &dataClient{channels: map[string]*webrtc.DataChannel{}}
	if rows == nil {
		rows = dataTable
	}
	d.client = join(t, reg, room, id, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
		for _, row := range rows {
			dc, err := pc.CreateDataChannel(row.Label, &webrtc.DataChannelInit{
				Negotiated: ptr(true), ID: &row.ID, Ordered: ptr(!row.Unordered), MaxRetransmits: row.MaxRetransmits,
			})
			if err != nil {
				t.Fatal(err)
			}
			d.channels[row.Label] = dc
			dc.OnMessage(func(m webrtc.DataChannelMessage) { d.take(row.Label, m) })
		}
	}})
	for _, row := range rows {
		d.wait("open channel "+row.Label, func() bool { return d.channels[row.Label].ReadyState() == webrtc.DataChannelStateOpen })
		if row.Direction == sfukit.DataToServer {
			continue
		}
		d.wait("the server's channel "+row.Label, func() bool {
			sent, err := d.peer.SendData(row.Label, true, []byte("ready"))
			return err == nil && sent == sfukit.DataSent
		})
		d.expect(message{label: row.Label, text: "ready"})
	}
	d.box.Lock()
	d.got = nil
	d.box.Unlock()
	return d
}

func (d *dataClient) take(label string, m webrtc.DataChannelMessage) {
	d.box.Lock()
	defer d.box.Unlock()
	switch {
	case len(m.Data) > 2000:
		d.size = append(d.size, len(m.Data))
	case m.IsString:
		d.got = append(d.got, message{label: label, text: string(m.Data)})
	default:
		d.got = append(d.got, message{label: label, binary: string(m.Data)})
	}
}

// expect waits for a message.
func (d *dataClient) expect(m message) {
	d.t.Helper()
	d.wait(fmt.Sprintf("message %+v", m), func() bool { return slices.Contains(d.messages(), m) })
}

func (d *dataClient) messages() []message {
	d.box.Lock()
	defer d.box.Unlock()
	return slices.Clone(d.got)
}

// sizes returns the lengths of the long messages that came in.
func (d *dataClient) sizes() []int {
	d.box.Lock()
	defer d.box.Unlock()
	return slices.Clone(d.size)
}

func (d *dataClient) send(label, text string) {
	d.t.Helper()
	if err := d.channels[label].SendText(text); err != nil {
		d.t.Fatalf("send on %s: %v", label, err)
	}
}

func newDataRegistry(t *testing.T) *sfukit.Registry {
	return newRegistry(t, func(c *sfukit.Config) { c.DataChannels = dataTable })
}

func dropped(reg *sfukit.Registry, why sfukit.DataDrop) int64 {
	return reg.Stats().Counters.DataOut[why.String()]
}

func TestDataIsRelayedToTheOthers(t *testing.T) {
	t.Parallel()
	reg := newDataRegistry(t)
	a, b, c := joinData(t, reg, "room", 1), joinData(t, reg, "room", 2), joinData(t, reg, "room", 3)
	stranger := joinData(t, reg, "other room", 4)
	a.send("chat", "hello")
	if err := a.channels["chat"].Send([]byte{0, 1, 2}); err != nil {
		t.Fatal(err)
	}
	a.send("chat", "") // RFC 8831 section 6.6: empty messages exist
	a.send("loose", "now or never")
	want := []message{{label: "chat", text: "hello"}, {label: "chat", binary: "\x00\x01\x02"}, {label: "chat"}, {label: "loose", text: "now or never"}}
	for _, m := range want {
		b.expect(m)
		c.expect(m)
	}
	// What comes back or strays would come before these.
	b.send("chat", "end")
	a.expect(message{label: "chat", text: "end"})
	stranger.send("chat", "anybody?")
	if sent, err := stranger.peer.SendData("chat", true, []byte("nobody")); sent != sfukit.DataSent || err != nil {
		t.Fatalf("SendData: %v, %v", sent, err)
	}
	stranger.expect(message{label: "chat", text: "nobody"})
	if got := a.messages(); len(got) != 1 {
		t.Errorf("the sender got %+v, want only the other's message", got)
	}
	if got := stranger.messages(); len(got) != 1 {
		t.Errorf("the other room got %+v, want nothing of this one", got)
	}
	if got := b.messages(); len(got) != len(want) {
		t.Errorf("a receiver got %+v, want each of %+v once", got, want)
	}
}

func TestDataDirections(t *testing.T) {
	t.Parallel()
	reg := newDataRegistry(t)
	a, b := joinData(t, reg, "room", 1), joinData(t, reg, "room", 2)
	a.send("up", "to the server")
	a.wait("the message as an event", func() bool { return slices.Contains(a.data, "up: to the server") })
	a.send("down", "against the arrow")
	a.wait("a message that went the wrong way", func() bool { return dropped(reg, sfukit.DataWrongWay) == 1 })
	for _, test := range []struct {
		label string
		size  int
		want  sfukit.DataDrop
	}{
		{"down", 3, sfukit.DataSent},
		{"chat", 3, sfukit.DataSent},
		{"up", 3, sfukit.DataWrongWay},
		{"loose", 1000, sfukit.DataSent},
		{"loose", 1001, sfukit.DataTooLarge},
	} {
		before := dropped(reg, test.want)
		got, err := b.peer.SendData(test.label, false, make([]byte, test.size))
		if got != test.want || err != nil {
			t.Errorf("SendData of %d bytes on %q: %v, %v, want %v", test.size, test.label, got, err, test.want)
		}
		if n := dropped(reg, test.want) - before; n != 1 {
			t.Errorf("SendData of %d bytes on %q: %d counted as %v, want 1", test.size, test.label, n, test.want)
		}
	}
	if _, err := b.peer.SendData("nonsense", true, nil); !errors.Is(err, sfukit.ErrNoChannel) {
		t.Errorf("SendData on a label that is not there: %v, want ErrNoChannel", err)
	}
	b.expect(message{label: "down", binary: "\x00\x00\x00"})
	for _, m := range b.messages() {
		if m.label == "up" || m.text != "" {
			t.Errorf("%+v reached another client", m)
		}
	}
}

// TestDataLimits: a message of the greatest size passes whole; a larger one
// costs its sender the channel and nobody anything else.
func TestDataLimits(t *testing.T) {
	t.Parallel()
	reg := newDataRegistry(t)
	a, b, c := joinData(t, reg, "room", 1), joinData(t, reg, "room", 2), joinData(t, reg, "room", 3)
	for label, size := range map[string]int{"chat": 16 << 10, "bulk": 256 << 10} {
		if err := a.channels[label].Send(bytes.Repeat([]byte{7}, size)); err != nil {
			t.Fatal(err)
		}
		b.wait("the greatest message of "+label, func() bool { return slices.Contains(b.sizes(), size) })
	}
	if err := a.channels["chat"].Send(make([]byte, 16<<10+1)); err != nil {
		t.Fatal(err)
	}
	a.wait("the end of the sender's channel", func() bool {
		sent, _ := a.peer.SendData("chat", true, nil)
		return sent == sfukit.DataNoChannel || sent == sfukit.DataWriteError
	})
	c.send("chat", "still here")
	b.expect(message{label: "chat", text: "still here"})
	a.send("loose", "and so am I")
	b.expect(message{label: "loose", text: "and so am I"})
	if slices.Contains(b.sizes(), 16<<10+1) {
		t.Error("the message that was too large has been relayed")
	}
}

// TestSlowDataReceiver has one receiver whose application stops reading.
func TestSlowDataReceiver(t *testing.T) {
	t.Parallel()
	reg := newDataRegistry(t)
	a, b := joinData(t, reg, "room", 1), joinData(t, reg, "room", 2)
	slow := joinData(t, reg, "room", 3)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	slow.channels["bulk"].OnMessage(func(webrtc.DataChannelMessage) { <-release })
	big := make([]byte, 64<<10)
	sent := 0
	a.wait("messages dropped for the slow receiver", func() bool {
		if len(b.sizes()) == sent && a.channels["bulk"].Send(big) == nil { // at b's pace
			sent++
		}
		return dropped(reg, sfukit.DataBuffered) > 3
	})
	b.wait("everything at the other receiver", func() bool { return len(b.sizes()) == sent })
	a.send("chat", "aside")
	b.expect(message{label: "chat", text: "aside"})
}

// TestUnknownDataChannelIsClosed opens a channel that is not in the table.
func TestUnknownDataChannelIsClosed(t *testing.T) {
	t.Parallel()
	reg := newDataRegistry(t)
	a := joinData(t, reg, "room", 1)
	dc, err := a.pc.CreateDataChannel("contraband", nil)
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan struct{})
	dc.OnClose(func() { close(closed) })
	a.wait("the channel's end", func() bool {
		select {
		case <-closed:
			return true
		default:
			return false
		}
	})
	a.send("up", "still here")
	a.wait("data on a channel of the table", func() bool { return slices.Contains(a.data, "up: still here") })
}
