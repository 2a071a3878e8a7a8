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
//   - codec reads RTP payloads, rewrite makes one stream out of many,
//     layer names and chooses simulcast encodings
//   - bwe estimates bandwidth, pacer turns the estimate into a quality tier
//   - nack, history and keyframe repair, report counts
//   - speaker elects the dominant speaker, fanout holds the set of receivers
//   - negotiate says when to offer
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
// goroutine on which it arrived, and no subscriber can make it wait. What a
// subscriber receives is one continuous stream per line, whatever its sources
// do. Encodings are switched at keyframes only, and the old one is shown until
// then. Nothing a peer sends can panic, or make memory grow without bound; what
// is refused is counted, see [Counters].
//
// # Locks
//
// In the order in which they are taken: Peer.signal, Registry.mu, Room.mu,
// Room.speakerMu, publisher.mu, subscriber.wishes, subscriber.mu, encoding.mu,
// mailbox.mu. On the packet path it is publisher.mu for a moment, encoding.mu,
// then each subscriber.mu in turn. No lock is held while the application's funcs
// run, but for the send func of [Peer.Offer].
package sfukit
