package sfukit

import (
	"net"

	"github.com/pion/transport/v4"
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
	return newRegistry(cfg, sc)
}

// Inject returns what takes the decrypted packets of one of a peer's SSRCs, as
// the goroutine that decrypts them would deliver them. The peer must send none
// of that SSRC itself.
func Inject(p *Peer, ssrc uint32) func(packet []byte) { return p.pub.stream(ssrc).Packet }
