// Package pionx adapts pion/webrtc to package transport: the only door to
// PeerConnections. It keeps pion's interceptors off the media path, takes
// packets where they are decrypted, and owns what every connection of a node
// shares.
package pionx

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/logging"
	ptransport "github.com/pion/transport/v4"
	"github.com/pion/transport/v4/stdnet"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/udpsock"
)

// Config describes what a Stack shares among its connections.
type Config struct {
	// Listen is the UDP address; port 0 asks the system for one. Ignored with Conn.
	Listen netip.AddrPort
	// Conn is a socket to use instead, such as one of a virtual network, on Net.
	Conn net.PacketConn
	Net  ptransport.Net
	// Public replaces the advertised addresses, Local is added after them.
	Public []netip.Addr
	Local  netip.Addr
	// Loopback advertises loopback addresses of a wildcard bind.
	Loopback bool
	// TCP serves passive ICE-TCP candidates; nil means none.
	TCP net.Listener
	// Disconnect and Fail are the ICE timeouts.
	Disconnect, Fail time.Duration
	Channels         []transport.DataChannel
	Log              *slog.Logger
}

// Stack is one UDP socket, and optionally one TCP listener, for any number of
// connections. Its methods are safe for concurrent use.
type Stack struct {
	config     Config
	socket     *udpsock.Conn
	mux        *advertisingMux
	tcp        *tcpMux // nil without ICE-TCP
	net        ptransport.Net
	loggers    logging.LoggerFactory
	advertised []netip.AddrPort

	mu          sync.Mutex
	certificate *webrtc.Certificate // guarded by mu
}

// NewStack opens the sockets. The caller must Close the Stack.
func NewStack(cfg Config) (*Stack, error) {
	s := &Stack{config: cfg, net: cfg.Net, loggers: loggers{log: cfg.Log}}
	if s.net == nil {
		n, err := stdnet.NewNet()
		if err != nil {
			return nil, fmt.Errorf("read network interfaces: %w", err)
		}
		s.net = n
	}
	if _, err := s.currentCertificate(time.Now()); err != nil {
		return nil, err
	}
	if err := s.openSocket(); err != nil {
		return nil, err
	}
	addrs, err := s.addresses()
	if err != nil {
		return nil, errors.Join(err, s.socket.Close())
	}
	s.advertised = addrs
	s.mux = newAdvertisingMux(ice.NewUDPMuxDefault(ice.UDPMuxParams{
		UDPConn: s.socket, Net: s.net, Logger: s.loggers.NewLogger("mux"),
	}), addrs)
	if cfg.TCP != nil {
		s.tcp = newTCPMux(cfg.TCP, addrs, s.loggers.NewLogger("tcpmux"))
	}
	return s, nil
}

func (s *Stack) openSocket() error {
	if s.config.Conn != nil {
		s.socket = udpsock.Wrap(s.config.Conn)
		return nil
	}
	socket, err := udpsock.Listen(s.config.Listen, udpsock.Config{})
	if err != nil && s.config.Listen.Addr() == netip.IPv6Unspecified() {
		// A machine without IPv6 has no [::].
		v4 := netip.AddrPortFrom(netip.IPv4Unspecified(), s.config.Listen.Port())
		if fallback, v4err := udpsock.Listen(v4, udpsock.Config{}); v4err == nil {
			socket, err = fallback, nil
		}
	}
	if err != nil {
		return err // it says where
	}
	s.socket = socket
	return nil
}

// addresses returns what clients are told to send to, most preferred first.
func (s *Stack) addresses() ([]netip.AddrPort, error) {
	bound := s.socket.LocalAddr().(*net.UDPAddr).AddrPort() //nolint:forcetypeassert // udpsock guarantees it
	ip := bound.Addr().Unmap()
	var ips []netip.Addr
	switch {
	case len(s.config.Public) > 0:
		ips = append(ips, s.config.Public...)
	case !ip.IsUnspecified():
		ips = append(ips, ip)
	default:
		found, err := s.interfaceAddresses(!ip.Is4())
		if err != nil {
			return nil, err
		}
		ips = found
		level := slog.LevelWarn
		if s.config.Loopback { // on one machine that is what is meant
			level = slog.LevelInfo
		}
		s.config.Log.Log(context.Background(), level, "no public address configured and bind address is wildcard: advertising the interfaces' addresses", "addresses", ips)
	}
	if s.config.Local.IsValid() {
		ips = append(ips, s.config.Local)
	}
	var out []netip.AddrPort
	seen := map[netip.Addr]bool{}
	for _, a := range ips {
		if a = a.Unmap(); !seen[a] {
			seen[a] = true
			out = append(out, netip.AddrPortFrom(a, bound.Port()))
		}
	}
	if len(out) == 0 {
		return nil, errors.New("no address to advertise: give a public address or bind to one")
	}
	return out, nil
}

// interfaceAddresses lists the addresses of the interfaces that are up, IPv4 first.
func (s *Stack) interfaceAddresses(v6 bool) ([]netip.Addr, error) {
	ifaces, err := s.net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("read network interfaces: %w", err)
	}
	var four, six, loopback []netip.Addr
	for _, ifc := range ifaces {
		addrs, err := ifc.Addrs()
		if err != nil || ifc.Flags&net.FlagUp == 0 {
			continue
		}
		for _, a := range addrs {
			prefix, err := netip.ParsePrefix(a.String())
			if err != nil {
				continue
			}
			switch ip := prefix.Addr().Unmap(); {
			case ip.IsLoopback() && ip.Is4():
				loopback = append(loopback, ip)
			case ip.IsLoopback() || ip.IsLinkLocalUnicast():
			case ip.Is4():
				four = append(four, ip)
			case v6:
				six = append(six, ip)
			}
		}
	}
	ips := append(four, six...)
	if s.config.Loopback || len(ips) == 0 {
		ips = append(ips, loopback...)
	}
	return ips, nil
}

// Addr returns the socket's own address.
func (s *Stack) Addr() netip.AddrPort {
	return s.socket.LocalAddr().(*net.UDPAddr).AddrPort() //nolint:forcetypeassert // udpsock guarantees it
}

// Advertised returns the addresses clients are told, in order of preference.
func (s *Stack) Advertised() []netip.AddrPort { return s.advertised }

// Socket returns the socket all connections send through.
func (s *Stack) Socket() *udpsock.Conn { return s.socket }

// Close closes the sockets. Connections must have been closed before.
func (s *Stack) Close() error {
	err := s.mux.Close()
	if s.tcp != nil {
		err = errors.Join(err, s.tcp.Close())
	}
	return err
}

// certificateMargin is how long before its end a certificate is replaced:
// pion refuses to start a connection with one that has expired.
const certificateMargin = 24 * time.Hour

// currentCertificate returns the DTLS certificate all connections share: making
// one per connection would cost five times the rest of its creation.
func (s *Stack) currentCertificate(now time.Time) (webrtc.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.certificate != nil && now.Before(s.certificate.Expires().Add(-certificateMargin)) {
		return *s.certificate, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return webrtc.Certificate{}, fmt.Errorf("make DTLS key: %w", err)
	}
	c, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return webrtc.Certificate{}, fmt.Errorf("make DTLS certificate: %w", err)
	}
	s.certificate = c
	return *c, nil
}
