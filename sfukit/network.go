package sfukit

import (
	"errors"
	"fmt"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/pionx"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/udpsock"
)

// realNetwork is the network of real sockets and real time.
type realNetwork struct{ *pionx.Stack }

var _ transport.Network = realNetwork{}

// openNetwork opens the sockets; it owns the configuration's TCP listener.
func openNetwork(sc pionx.Config) (transport.Network, error) {
	stack, err := pionx.NewStack(sc)
	if err != nil {
		if sc.TCP != nil {
			err = errors.Join(err, sc.TCP.Close())
		}
		return nil, fmt.Errorf("sfukit: %w", err)
	}
	return realNetwork{stack}, nil
}

func (n realNetwork) NewConn(h transport.Handler) (transport.Conn, error) {
	c, err := n.Stack.NewConn(h)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (n realNetwork) CheckOffer(text string) error {
	_, err := pionx.CheckOffer(text)
	return err
}

func (n realNetwork) Now() time.Time { return time.Now() }
func (n realNetwork) Cork()          { n.Socket().Cork() }
func (n realNetwork) Uncork()        { n.Socket().Uncork() }

func (n realNetwork) Dropped() map[string]int64 {
	out := map[string]int64{}
	for i, count := range n.Socket().Stats().Dropped {
		if reason := udpsock.Drop(i); i > 0 {
			out[reason.String()] = int64(count)
		}
	}
	return out
}
