package signal

import (
	"context"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// Rooms is what a Session needs of the place where calls happen. RoomsOf makes
// one of a sfukit.Registry.
type Rooms interface {
	// Join has the contract of sfukit.Registry.Join: the events of j flow from
	// Peer.Start on.
	Join(ctx context.Context, j sfukit.Join) (peer Peer, answer string, err error)
	// Publishers lists the peers of a room that publish at least one track.
	Publishers(room sfukit.RoomID) []sfukit.PeerID
}

// Peer is what a Session needs of a member of a room, with the contracts of
// sfukit.Peer.
type Peer interface {
	Start()
	Offer(ctx context.Context, sdp string, send func(answer string)) error
	Answer(ctx context.Context, sdp string, offerID uint64) error
	AddICECandidate(c *sfukit.ICECandidate) error
	SetLayer(w sfukit.LayerWish) error
	HintBandwidth(r units.Bitrate)
	Close()
}

// RoomsOf makes the rooms of a registry available to sessions.
func RoomsOf(reg *sfukit.Registry) Rooms { return registry{reg} }

type registry struct{ reg *sfukit.Registry }

func (r registry) Join(ctx context.Context, j sfukit.Join) (Peer, string, error) {
	peer, answer, err := r.reg.Join(ctx, j)
	if err != nil {
		return nil, "", err // not a nil *sfukit.Peer in a Peer
	}
	return peer, answer, nil
}

func (r registry) Publishers(id sfukit.RoomID) []sfukit.PeerID {
	room, ok := r.reg.Room(id)
	if !ok {
		return nil
	}
	var ids []sfukit.PeerID
	for _, p := range room.Peers() {
		if p.Publishes() {
			ids = append(ids, p.ID())
		}
	}
	return ids
}
