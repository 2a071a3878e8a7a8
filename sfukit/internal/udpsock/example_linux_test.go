package udpsock_test

import (
	"fmt"
	"log"
	"net"
	"net/netip"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/udpsock"
)

// A room writes a frame's packets to every subscriber under a cork; all leave
// together when the frame is complete.
func Example() {
	sock, err := udpsock.Listen(netip.MustParseAddrPort("127.0.0.1:0"), udpsock.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer sock.Close()
	subscriber, err := udpsock.Listen(netip.MustParseAddrPort("127.0.0.1:0"), udpsock.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer subscriber.Close()
	to := subscriber.LocalAddr().(*net.UDPAddr).AddrPort()

	sock.Cork()
	for _, packet := range []string{"start", "middle", "end"} {
		if _, err := sock.WriteToAddrPort([]byte(packet), to); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("sent under the cork:", sock.Stats().DatagramsOut)
	sock.Uncork()
	fmt.Println("sent in one flush:", sock.Stats().DatagramsOut)

	b := make([]byte, 1500)
	for range 3 {
		n, _, err := subscriber.ReadFromAddrPort(b)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("received: %s\n", b[:n])
	}
	// Output:
	// sent under the cork: 0
	// sent in one flush: 3
	// received: start
	// received: middle
	// received: end
}
