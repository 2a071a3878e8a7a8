package sim

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
)

// network carries the connections of a registry over links. There is no SDP: an
// offer of a client is its name, and an answer is empty.
type network struct {
	engine  *Engine
	clients map[string]*client
}

var _ transport.Network = (*network)(nil)

func (n *network) NewConn(h transport.Handler) (transport.Conn, error) {
	return &conn{network: n, handler: h}, nil
}

func (n *network) CheckOffer(text string) error {
	if n.clients[text] == nil {
		return fmt.Errorf("%w: no client %q", ErrConfig, text)
	}
	return nil
}

func (n *network) Now() time.Time               { return n.engine.Now() }
func (n *network) Cork()                        {}
func (n *network) Uncork()                      {}
func (n *network) Addr() netip.AddrPort         { return netip.AddrPort{} }
func (n *network) Advertised() []netip.AddrPort { return nil }
func (n *network) Dropped() map[string]int64    { return map[string]int64{} }
func (n *network) Close() error                 { return nil }

// conn is the room's end of a client's connection.
type conn struct {
	network *network
	handler transport.Handler
	client  *client
	sinks   map[uint32]transport.Sink
	lines   []*line
	offers  int
	closed  bool
}

var _ transport.Conn = (*conn)(nil)

func (c *conn) AcceptOffer(text string) (string, []transport.Track, error) {
	c.client = c.network.clients[text]
	c.client.conn = c
	c.sinks = map[uint32]transport.Sink{}
	return "", c.client.tracks(), nil
}

func (c *conn) Offer() (text, firstNew string, err error) {
	c.offers++
	for _, l := range c.lines {
		if l.params == nil && firstNew == "" {
			firstNew = l.mid
		}
	}
	return fmt.Sprintf("offer %d", c.offers), firstNew, nil
}

func (c *conn) PendingOffer() (text, firstNew string) { return fmt.Sprintf("offer %d", c.offers), "" }

// AcceptAnswer makes every line ready: a simulated client refuses nothing.
func (c *conn) AcceptAnswer(string) error {
	for _, l := range c.lines {
		l.accept()
	}
	return nil
}

func (c *conn) Abandon() error { return nil }

func (c *conn) AddLine(f transport.Format, _, _ string) (transport.Line, error) {
	if !c.client.watches {
		return nil, transport.ErrNoCodec
	}
	l := &line{conn: c, mid: fmt.Sprint(len(c.lines)), format: f, ssrc: uint32(0x1000 + 2*len(c.lines))}
	c.lines = append(c.lines, l)
	return l, nil
}

// WriteRTCP sends what the room has to say as one datagram.
func (c *conn) WriteRTCP(packets []rtcp.Packet) error {
	b, err := rtcp.Marshal(packets)
	if err != nil || c.closed {
		return err
	}
	c.client.down.Send(&Packet{
		Flow: c.client.id, Size: len(b), Data: b, Sent: c.network.engine.Now(),
		To: func(p *Packet) { c.client.receiveRTCP(p.Data) },
	})
	return nil
}

func (c *conn) SendData(int, bool, []byte) transport.DataDrop { return transport.DataNoChannel }
func (c *conn) LastError() string                             { return "" }
func (c *conn) Close()                                        { c.closed = true }

// rtp takes a packet of the client where its uplink ends.
func (c *conn) rtp(ssrc uint32, b []byte) {
	if c.closed {
		return
	}
	sink, known := c.sinks[ssrc]
	if !known {
		sink = c.handler.Stream(ssrc)
		c.sinks[ssrc] = sink
	}
	if sink != nil {
		sink.Packet(c.network.engine.Now(), b)
	}
}

// rtcp takes a compound packet of the client where its uplink ends.
func (c *conn) rtcp(b []byte) {
	packets, err := rtcp.Unmarshal(b)
	if err != nil {
		c.handler.Malformed()
		return
	}
	for _, p := range packets {
		if c.closed {
			return
		}
		c.handler.RTCP(c.network.engine.Now(), p)
	}
}

// line is one m-line of a watching client.
type line struct {
	conn   *conn
	mid    string
	format transport.Format
	ssrc   uint32
	params *transport.LineParams
}

var (
	_ transport.Line   = (*line)(nil)
	_ transport.Writer = (*line)(nil)
)

func (l *line) MID() string                   { return l.mid }
func (l *line) Params() *transport.LineParams { return l.params }
func (l *line) Format() transport.Format      { return l.format }
func (l *line) Name(string, string)           {}
func (l *line) SetActive(bool)                {}

func (l *line) accept() {
	if l.params != nil {
		return
	}
	ext := extensions
	ext.TransportCC = extTransportCC
	l.params = &transport.LineParams{SSRC: l.ssrc, Format: l.format, Ext: ext, Writer: l}
	if l.format.Codec.Video() {
		l.params.RTXSSRC = l.ssrc + 1
	}
	l.conn.client.listen(l)
}

// WriteRTP implements transport.Writer: it copies the packet into the client's
// downlink.
func (l *line) WriteRTP(h *rtp.Header, payload []byte) (int, error) {
	// The padding's size is the header's (RFC 3550 section 5.1), its octets follow the payload.
	b := make([]byte, h.MarshalSize()+len(payload)+int(h.PaddingSize))
	n, err := h.MarshalTo(b)
	if err != nil || l.conn.closed {
		return 0, err
	}
	copy(b[n:], payload)
	if h.Padding {
		b[len(b)-1] = h.PaddingSize
	}
	c := l.conn.client
	c.down.Send(&Packet{Flow: c.id, Size: len(b), Data: b, Sent: c.engine.Now(), To: c.receiveRTP})
	return len(b), nil
}

// formats are what every client sends and receives.
var (
	videoFormat = transport.Format{Codec: codec.VP8, PT: ptVP8, RTXPT: ptRTX}
	audioFormat = transport.Format{Codec: codec.Opus, PT: ptOpus}
)
