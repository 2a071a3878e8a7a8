package udpsock_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/udpsock"
)

// BenchmarkFanOut sends one video frame of six packets to each of sixty
// subscribers, packet by packet, as a room does. plain is one system call per
// datagram, batched one for all, trains one for all with segmentation.
func BenchmarkFanOut(b *testing.B) {
	const subscribers, packets, size = 60, 6, 1100
	for _, bc := range []struct {
		name   string
		corked bool
		trains bool
	}{{"plain", false, false}, {"batched", true, false}, {"trains", true, true}} {
		b.Run(bc.name, func(b *testing.B) {
			c, err := udpsock.Listen(netip.MustParseAddrPort("127.0.0.1:0"), udpsock.Config{})
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			udpsock.SetTrains(c, bc.trains)
			var to [subscribers]netip.AddrPort
			for i := range to {
				sink, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
				if err != nil {
					b.Fatal(err)
				}
				defer sink.Close()
				to[i] = sink.LocalAddr().(*net.UDPAddr).AddrPort()
			}
			p := make([]byte, size)
			b.SetBytes(subscribers * packets * size)
			b.ReportAllocs()
			for b.Loop() {
				if bc.corked {
					c.Cork()
				}
				for range packets {
					for _, a := range to {
						_, _ = c.WriteToAddrPort(p, a)
					}
				}
				if bc.corked {
					c.Uncork()
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*subscribers*packets), "ns/datagram")
		})
	}
}
