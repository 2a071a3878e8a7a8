package transport

import (
	"net/netip"
	"time"

	"github.com/pion/rtcp"
)

// Network is what carries the connections of a node. All methods are safe for
// concurrent use.
type Network interface {
	// NewConn makes a connection that waits for its client's first offer.
	NewConn(h Handler) (Conn, error)
	// CheckOffer says why an offer cannot be used, nil if it can. It changes
	// nothing.
	CheckOffer(text string) error
	// Now is the time all that happens on the network is measured by.
	Now() time.Time
	// Cork begins a burst, Uncork ends it: what is written meanwhile may leave
	// together. Bursts of several goroutines may overlap.
	Cork()
	Uncork()
	// Addr is the media socket's own address, Advertised what clients are told.
	Addr() netip.AddrPort
	Advertised() []netip.AddrPort
	// Dropped counts the datagrams that were not sent, by reason.
	Dropped() map[string]int64
	// Close ends the network. Its connections must have been closed before.
	Close() error
}

// Conn is one peer's connection. The methods that exchange descriptions and
// lines must not be called concurrently with each other or with Close; the
// others may be called from anywhere.
type Conn interface {
	// AcceptOffer answers an offer of the client's and returns the tracks it
	// publishes from now on. The error may be ErrWedged.
	AcceptOffer(text string) (answer string, tracks []Track, err error)
	// Offer makes an offer of ours that shows every line, and says which of the
	// mids in it is the first that is new. It must be answered, resent or abandoned
	// before the next. The error may be ErrWedged.
	Offer() (text, firstNew string, err error)
	// PendingOffer returns the offer that waits for its answer, as Offer did.
	PendingOffer() (text, firstNew string)
	// AcceptAnswer takes the client's answer to the pending offer. On error, unless
	// it is ErrWedged, the offer stays pending.
	AcceptAnswer(text string) error
	// Abandon gives up an offer whose answer is lost. The error may be ErrWedged.
	Abandon() error
	// AddLine adds an m-line for tracks of one format to the next offer. The error
	// may be ErrNoCodec or ErrWedged.
	AddLine(f Format, stream, track string) (Line, error)
	// WriteRTCP sends packets to the peer; before the connection is up it fails.
	WriteRTCP(packets []rtcp.Packet) error
	// SendData sends one message on a channel of the table, without waiting.
	SendData(channel int, text bool, message []byte) DataDrop
	// LastError says why the connection did not come about, "" if nothing is known.
	LastError() string
	// Close ends the connection and returns when all that belongs to it has ended.
	// It must not be called from a Handler method.
	Close()
}
