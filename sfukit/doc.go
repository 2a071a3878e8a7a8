// Package sfukit is the media plane of a WebRTC SFU as a library: rooms whose
// members receive each other's audio, video and data, forwarded packet by
// packet and never decoded.
//
// # Three ways to use it
//
// Whole: a [Registry] owns the sockets and the rooms. [Registry.Join] takes a
// client's offer and returns the answer and a [Peer]; what the client must be
// told later arrives in [PeerEvents]. How descriptions travel is up to you.
//
// In parts: the algorithms are packages of their own, without sockets,
// goroutines or clocks, and without pion in their signatures. Each is of use in
// a program that has its own idea of a room:
//
//   - codec reads RTP payloads, and codec/dd and codec/framemarking the extensions
//     that tell layers; rewrite makes one stream out of many; layer names simulcast
//     encodings and measures them
//   - bwe estimates bandwidth, allocate spreads it over all tracks of a subscriber
//     (by measured rates, or by the tiers of pacer), shaper spreads bursts over time
//   - demand finds out which encodings nobody has a use for
//   - nack, history and keyframe repair, report counts
//   - speaker elects the dominant speaker, fanout holds the set of receivers
//   - negotiate says when to offer
//   - sim is a world of links, senders and receivers in virtual time, to try a
//     policy in
//
// # The life of a call
//
//  1. The client offers; Join answers. Its tracks are published at once. Once the
//     answer is sent, [Peer.Start] lets the peer's events flow.
//  2. Tracks of others reach the client on m-lines of ours: PeerEvents.Offer
//     brings a description, [Peer.Answer] takes the reply. All tracks that wait
//     share one offer. A line is used again when its track is gone.
//  3. The client offers again for whatever changes on its side: [Peer.Offer].
//     If both offer at once, ours stands and the client rolls back.
//  4. [Peer.Close], a lost path or a closed registry end it; PeerEvents.Closed
//     says which.
//
// The names SfuConfig, SfuRid, PacerAction and RelayFromSfu are those of
// oxpulse-sfu-kit, this kit's predecessor in Rust, for who comes from there.
//
// # What holds always
//
// A room is a border: nothing crosses it. A packet is forwarded on the
// goroutine on which it arrived, and no subscriber can make it wait; what has to
// wait for its turn at one subscriber is copied, and leaves on the room's pacer.
// What a subscriber receives is one continuous stream per line, whatever its
// sources do. Encodings are switched at keyframes only, and the old one is shown
// until then. What all its tracks together are sent follows what its link is
// estimated to carry, and large frames are spread over time for it; [Peer.Explain]
// says why a track gets what it gets. Nothing a peer sends can panic, or make
// memory grow without bound; what is refused is counted, see [Counters].
//
// # Locks
//
// In the order in which they are taken: Peer.signal, Registry.mu, Room.mu,
// Room.speakerMu, publisher.mu, subscriber.wishes, subscriber.mu, dynacast.mu,
// encoding.mu. Under any of them may be taken, and none under these, mailbox.mu and
// the mutexes inside fanout.Group, history.Store and internal/udpsock.
//
// On the packet path it is publisher.mu for a moment, encoding.mu, then each
// subscriber.mu in turn, one at a time. A pacer's round and an allocation take the
// same subscriber.mu, and so does, where [Config] limits who is heard and shown, the
// choice of that, which goes through all members under Room.mu: a packet for that
// subscriber waits meanwhile. No lock is held while the application's funcs run, but
// for the send func of [Peer.Offer].
package sfukit
