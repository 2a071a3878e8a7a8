package sfukit_test

import (
	"context"
	"fmt"
	"log"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

// A node with one room. What carries descriptions between client and server is
// up to the application; here it is called ws.
func ExampleRegistry_Join() {
	var ws signalling

	node, err := sfukit.NewRegistry(sfukit.Config{SfuConfig: sfukit.SfuConfig{UDPPort: -1, BindAddress: "127.0.0.1"}})
	if err != nil {
		log.Fatal(err)
	}
	defer node.Close()
	ctx := context.Background()
	peer, answer, err := node.Join(ctx, sfukit.Join{Room: "lobby", ID: 7, Offer: ws.offer(), Events: sfukit.PeerEvents{
		Offer:  func(o sfukit.Offer) { ws.send("offer", o.SDP) },        // answer it with peer.Answer
		Tracks: func(t []sfukit.TrackInfo) { ws.send("tracks", t) },     // which m-line shows whom
		Closed: func(why sfukit.LeaveReason) { ws.send("closed", why) }, // the last event
	}})
	if err != nil {
		log.Fatal(err)
	}
	ws.send("answer", answer[:3])
	peer.Start() // events flow from here on
	peer.Close()
	// Output:
	// answer v=0
	// closed closed
}

// The kit never reads the environment: the host program fills in the settings.
func ExampleConfig() {
	node, err := sfukit.NewRegistry(sfukit.Config{
		SfuConfig:       sfukit.SfuConfig{UDPPort: -1, BindAddress: "127.0.0.1"},
		MaxPeersPerRoom: 12,
		DataChannels:    []sfukit.DataChannel{{Label: "chat", ID: 1}},
		Pacer:           sfukit.PacerConfig{MediumMin: 500_000, HighMin: 1_500_000},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer node.Close()
	fmt.Println(node.Config().LogLevel, len(node.Stats().Rooms))

	_, err = sfukit.NewRegistry(sfukit.Config{SfuConfig: sfukit.SfuConfig{BindAddress: "localhost"}})
	fmt.Println(err)
	// Output:
	// info 0
	// sfukit: config: BindAddress is "localhost", want an IP address
}

// signalling stands for the connection to a browser.
type signalling struct{}

func (signalling) send(kind string, what any) { fmt.Println(kind, what) }
func (signalling) offer() string              { return viewerOffer }

// viewerOffer is what a browser offers that has opened a data channel only.
const viewerOffer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n" +
	"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n" +
	"a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass\r\na=sctp-port:5000\r\n" +
	"a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n"
