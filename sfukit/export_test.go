package sfukit

import (
	"net"
	"time"

	"github.com/pion/transport/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// NewVirtualRegistry is NewRegistry on a socket of a virtual network.
func NewVirtualRegistry(cfg Config, n transport.Net, socket net.PacketConn) (*Registry, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	sc, err := cfg.stack()
	if err != nil {
		return nil, err
	}
	sc.Net, sc.Conn = n, socket
	network, err := openNetwork(sc)
	if err != nil {
		return nil, err
	}
	return newRegistry(cfg, network), nil
}

// Inject returns what takes the decrypted packets of one of a peer's SSRCs, as
// the goroutine that decrypts them would deliver them. The peer must send none
// of that SSRC itself.
func Inject(p *Peer, ssrc uint32) func(packet []byte) {
	return func(packet []byte) { p.pub.stream(ssrc).Packet(time.Now(), packet) }
}

// BudgetWithoutRepairs returns what is left of a rate after a minute in which so many
// bytes were sent, and sent again, each second.
func BudgetWithoutRepairs(rate units.Bitrate, sent, resent int64) units.Bitrate {
	var r repairs
	at := time.Unix(1000, 0)
	for i := range int64(60) {
		r.update(at.Add(time.Duration(i)*time.Second), i*sent, i*resent)
	}
	return r.without(rate)
}
