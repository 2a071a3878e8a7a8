package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

// config is what the flags say.
type config struct {
	addr       string       // where http listens, "host:port"
	https      bool         // also serve https
	httpsAddr  string       // where https listens, "host:port"
	udpPort    int          // media; -1 for any free port
	tcpPort    int          // media for clients without UDP; 0 for off
	publicIPs  []netip.Addr // advertised instead of the interfaces' addresses
	maxPeers   int          // per room; 0 for no limit
	audioTopN  int          // voices of a room that are heard at a time; 0 for all
	videoLastN int          // video tracks of a room that each viewer is sent; 0 for all
}

// errUsage is wrapped by every error about the command line.
var errUsage = errors.New("see -h")

// parseFlags reads the command line. With -h it prints the flags to help and
// returns flag.ErrHelp; any other error wraps errUsage.
func parseFlags(args []string, help io.Writer) (config, error) {
	var cfg config
	var publicIPs string
	fs := flag.NewFlagSet("basic-sfu", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&cfg.addr, "addr", "127.0.0.1:8080", "serve the page over http on `host:port`")
	fs.BoolVar(&cfg.https, "https", false, "also serve https with a self-signed certificate, for other machines")
	fs.StringVar(&cfg.httpsAddr, "https-addr", ":8443", "serve https on `host:port`")
	fs.IntVar(&cfg.udpPort, "udp-port", sfukit.DefaultUDPPort, "send and receive media on this UDP `port`; -1 for any")
	fs.IntVar(&cfg.tcpPort, "tcp-port", 0, "also take media on this TCP `port`, for clients without UDP; 0 for off")
	fs.StringVar(&publicIPs, "public-ip", "", "tell clients to send media to this `address`; one IPv4, one IPv6, or both with a comma")
	fs.IntVar(&cfg.maxPeers, "max-peers", 0, "take at most `n` peers in a room; 0 for no limit")
	fs.IntVar(&cfg.audioTopN, "audio-top-n", 0, "forward the `n` loudest voices of a room; 0 for all")
	fs.IntVar(&cfg.videoLastN, "video-last-n", 0, "send each viewer `n` video tracks: what is pinned, screens, the last speakers; 0 for all")

	err := fs.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fs.SetOutput(help)
		fmt.Fprintln(help, "Usage: basic-sfu [flags]")
		fs.PrintDefaults()
		return config{}, flag.ErrHelp
	}
	if err == nil && fs.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if err == nil {
		err = cfg.check(publicIPs)
	}
	if err != nil {
		return config{}, fmt.Errorf("%w (%w)", err, errUsage)
	}
	return cfg, nil
}

func (c *config) check(publicIPs string) error {
	for name, addr := range map[string]string{"-addr": c.addr, "-https-addr": c.httpsAddr} {
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			return fmt.Errorf("%s is %q, want host:port", name, addr)
		}
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return fmt.Errorf("%s is %q, want a port of 1 to 65535, or 0 for any", name, addr)
		}
	}
	if c.udpPort == 0 || c.udpPort < -1 || c.udpPort > 65535 {
		return fmt.Errorf("-udp-port is %d, want 1 to 65535, or -1 for any", c.udpPort)
	}
	if c.tcpPort < -1 || c.tcpPort > 65535 {
		return fmt.Errorf("-tcp-port is %d, want 1 to 65535, 0 for off, or -1 for any", c.tcpPort)
	}
	if c.maxPeers < 0 {
		return fmt.Errorf("-max-peers is %d, want 0 for no limit, or more", c.maxPeers)
	}
	if c.audioTopN < 0 {
		return fmt.Errorf("-audio-top-n is %d, want 0 for all, or more", c.audioTopN)
	}
	if c.videoLastN < 0 {
		return fmt.Errorf("-video-last-n is %d, want 0 for all, or more", c.videoLastN)
	}
	return c.setPublicIPs(publicIPs)
}

// setPublicIPs reads -public-ip: nothing, or up to one address of each family.
func (c *config) setPublicIPs(list string) error {
	if list == "" {
		return nil
	}
	for text := range strings.SplitSeq(list, ",") {
		ip, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil || ip.IsUnspecified() || ip.IsMulticast() {
			return fmt.Errorf("-public-ip has %q, want a unicast IP address", text)
		}
		sameFamily := func(other netip.Addr) bool { return other.Unmap().Is4() == ip.Unmap().Is4() }
		if slices.ContainsFunc(c.publicIPs, sameFamily) {
			return fmt.Errorf("-public-ip is %q, want at most one IPv4 and one IPv6 address", list)
		}
		c.publicIPs = append(c.publicIPs, ip)
	}
	return nil
}

// kit is the configuration of the media plane.
func (c config) kit() sfukit.Config {
	return sfukit.Config{
		SfuConfig:       sfukit.SfuConfig{UDPPort: c.udpPort},
		PublicIPs:       c.publicIPs,
		ICETCPPort:      c.tcpPort,
		IncludeLoopback: reachesLoopback(c.addr),
		MaxPeersPerRoom: c.maxPeers,
		AudioTopN:       c.audioTopN,
		VideoLastN:      c.videoLastN,
		DataChannels:    []sfukit.DataChannel{{Label: "chat", ID: 1, MaxMessage: 16 << 10}},
	}
}

// reachesLoopback reports whether a browser on this machine may open the page
// through a loopback address; then media must be offered there too.
func reachesLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err != nil || ip.IsLoopback() || ip.IsUnspecified() // "" and "localhost" do not parse
}
