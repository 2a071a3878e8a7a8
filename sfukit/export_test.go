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
