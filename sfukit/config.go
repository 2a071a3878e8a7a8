package sfukit

import (
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/allocate"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/shaper"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/speaker"
)

// SfuConfig describes a node's sockets. The kit acts on UDPPort and
// BindAddress; it hands MetricsPort and LogLevel through to its host program,
// which owns metrics and logs. It reads no environment.
type SfuConfig struct {
	// UDPPort is the one UDP port all media uses. 0 means 7878; -1 asks the system
	// for a free port.
	UDPPort int
	// MetricsPort is where the host program serves metrics. 0 means 9317.
	MetricsPort int
	// BindAddress is the IP address to listen on. "" means all addresses of both
	// families where the system allows, else "0.0.0.0".
	BindAddress string
	// LogLevel is the host program's log level. "" means "info".
	LogLevel string
}

// The defaults of SfuConfig.
const (
	DefaultUDPPort     = 7878
	DefaultMetricsPort = 9317
	DefaultLogLevel    = "info"
)

// Config configures a Registry. The zero value works: every field says what
// its zero means.
type Config struct {
	SfuConfig

	// PublicIPs replaces the addresses of host candidates: what clients are told
	// to send to. At most one IPv4 and one IPv6. Empty means the bind address, or
	// every interface address of a wildcard bind.
	PublicIPs []netip.Addr
	// LocalIP is a second, private host candidate on the same port, for clients
	// inside a network that cannot reach the public address. Zero means none.
	LocalIP netip.Addr
	// ICETCPPort adds passive ICE-TCP candidates on this port (RFC 6544), for
	// clients whose network blocks UDP. 0 means off; -1 asks the system for a free port.
	ICETCPPort int
	// IncludeLoopback also advertises loopback addresses of a wildcard bind, for
	// tests and demos on one machine.
	IncludeLoopback bool

	// MaxPeersPerRoom is how many local peers a room takes; a peer that replaces
	// itself needs no seat. 0 means no limit. Negative is invalid.
	MaxPeersPerRoom int

	// DataChannels is the table of data channels every peer gets. Channels not in
	// it are closed when a client opens them.
	DataChannels []DataChannel

	// Policy says what decides how much video a subscriber is sent: allocate.Measured,
	// the zero value, fits the rates that publishers really send into the estimate;
	// allocate.Tiers limits every track to the tier of Pacer.
	Policy allocate.Policy
	// Pacer sets the thresholds below which there is no video and, with
	// allocate.Tiers, those of the tiers. Zero fields are the defaults of package
	// pacer.
	Pacer PacerConfig
	// Shaper spreads bursts, such as keyframes, over time. The zero value is the
	// default of package shaper; Off lets every packet leave at once.
	Shaper shaper.Config
	// AudioTopN is how many peers of a room are heard at a time: the dominant speaker
	// and the loudest, by the levels they send (RFC 6464), then those that send none.
	// Somebody who begins to speak is among them within a tenth of a second, unless
	// more of them have done so in the last seconds than there are places. Relays are
	// always heard and take no place. 0 means all. Negative is invalid.
	AudioTopN int
	// VideoLastN is how many video tracks of a room a subscriber is sent: what it has
	// given a priority, screen shares, and those of the last speakers. 0 means all.
	// Negative is invalid.
	VideoLastN int
	// Speaker tunes the election of the dominant speaker. Zero fields are the
	// defaults of package speaker.
	Speaker speaker.Config
	// SpeakerTop is how many of the loudest peers SpeakerChange.Top names. 0 means 3.
	SpeakerTop int
	// NewEstimator makes the bandwidth estimator of one subscriber. Nil means
	// bwe.NewSendSide with its defaults. While it has no estimate, as for a client
	// that sends neither transport-wide feedback nor REMB, the subscriber stays at
	// the lowest encoding.
	NewEstimator func() BandwidthEstimator

	// DisconnectTimeout is how long a silent peer stays before its path counts as
	// lost, FailTimeout how much longer until it leaves with LeaveICEFailed.
	// 0 means 5 s and 10 s.
	DisconnectTimeout, FailTimeout time.Duration

	// Logger receives what is worth telling an operator; never per packet, never
	// secrets, descriptions or keys. Nil means silence.
	Logger *slog.Logger

	// Events are told about rooms and peers of the whole registry.
	Events RegistryEvents
}

// RegistryEvents are called one at a time per room, in order, on a goroutine of the
// room's that does nothing else. They must not close peers or the Registry, and the
// last peer's Close waits for them. When 4096 wait, further SpeakerChanged and
// ModeChanged are lost (Counters.EventsFull); PeerJoined and PeerLeft never are. Nil
// funcs are skipped.
type RegistryEvents struct {
	PeerJoined     func(RoomID, PeerID)
	PeerLeft       func(RoomID, PeerID, LeaveReason)
	SpeakerChanged func(RoomID, SpeakerChange)
	// ModeChanged: a peer's video was stopped for want of bandwidth, or came back.
	ModeChanged func(RoomID, PeerID, ModeChange)
}

func (c Config) withDefaults() (Config, error) {
	if c.UDPPort == 0 {
		c.UDPPort = DefaultUDPPort
	}
	if c.MetricsPort == 0 {
		c.MetricsPort = DefaultMetricsPort
	}
	if c.LogLevel == "" {
		c.LogLevel = DefaultLogLevel
	}
	if c.SpeakerTop == 0 {
		c.SpeakerTop = 3
	}
	if c.DisconnectTimeout == 0 {
		c.DisconnectTimeout = 5 * time.Second
	}
	if c.FailTimeout == 0 {
		c.FailTimeout = 10 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.NewEstimator == nil {
		c.NewEstimator = func() BandwidthEstimator {
			e, err := bwe.NewSendSide(bwe.SendSideConfig{})
			if err != nil { // the zero config is valid by contract, and tested to be
				panic(err)
			}
			return e
		}
	}
	return c, c.validate()
}

func (c Config) allocation() allocate.Config {
	return allocate.Config{Policy: c.Policy, Pacer: c.Pacer}
}

func (c Config) validate() error {
	if c.UDPPort < -1 || c.UDPPort > 65535 {
		return fmt.Errorf("%w: UDPPort is %d, want 1 to 65535, 0 for %d or -1 for any", ErrConfig, c.UDPPort, DefaultUDPPort)
	}
	if c.ICETCPPort < -1 || c.ICETCPPort > 65535 {
		return fmt.Errorf("%w: ICETCPPort is %d, want 1 to 65535, 0 for off or -1 for any", ErrConfig, c.ICETCPPort)
	}
	if c.MetricsPort < 0 || c.MetricsPort > 65535 {
		return fmt.Errorf("%w: MetricsPort is %d, want 1 to 65535 or 0 for %d", ErrConfig, c.MetricsPort, DefaultMetricsPort)
	}
	if c.BindAddress != "" {
		if _, err := netip.ParseAddr(c.BindAddress); err != nil {
			return fmt.Errorf("%w: BindAddress is %q, want an IP address", ErrConfig, c.BindAddress)
		}
	}
	var v4, v6 int
	for _, ip := range c.PublicIPs {
		switch {
		case !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast():
			return fmt.Errorf("%w: PublicIPs has %s, want a unicast address", ErrConfig, ip)
		case ip.Unmap().Is4():
			v4++
		default:
			v6++
		}
	}
	if v4 > 1 || v6 > 1 {
		return fmt.Errorf("%w: PublicIPs has %d IPv4 and %d IPv6 addresses, want at most one of each", ErrConfig, v4, v6)
	}
	if c.LocalIP.IsValid() && !c.LocalIP.IsPrivate() && !c.LocalIP.IsLoopback() {
		return fmt.Errorf("%w: LocalIP is %s, want a private address (RFC 1918, RFC 4193)", ErrConfig, c.LocalIP)
	}
	if c.MaxPeersPerRoom < 0 {
		return fmt.Errorf("%w: MaxPeersPerRoom is %d, want 0 for no limit or more", ErrConfig, c.MaxPeersPerRoom)
	}
	if c.SpeakerTop < 0 {
		return fmt.Errorf("%w: SpeakerTop is %d, want 0 for 3 or more", ErrConfig, c.SpeakerTop)
	}
	if c.DisconnectTimeout < 0 || c.FailTimeout < 0 {
		return fmt.Errorf("%w: DisconnectTimeout is %s and FailTimeout %s, want positive", ErrConfig, c.DisconnectTimeout, c.FailTimeout)
	}
	if c.AudioTopN < 0 || c.VideoLastN < 0 {
		return fmt.Errorf("%w: AudioTopN is %d and VideoLastN %d, want 0 for all or more", ErrConfig, c.AudioTopN, c.VideoLastN)
	}
	if _, err := allocate.New(c.allocation()); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if _, err := shaper.New[*outgoing](c.Shaper); err != nil {
		return fmt.Errorf("%w: Shaper: %w", ErrConfig, err)
	}
	if _, err := speaker.New(c.Speaker); err != nil {
		return fmt.Errorf("%w: Speaker: %w", ErrConfig, err)
	}
	return validateDataChannels(c.DataChannels)
}
