package codec

import "errors"

// Errors of Parse.
var (
	// ErrShort is returned by Parse when a payload is empty or ends inside a
	// field it says it has.
	ErrShort = errors.New("codec: payload too short")
	// ErrMalformed is returned by Parse when a payload breaks a rule of its
	// format.
	ErrMalformed = errors.New("codec: malformed payload")
	// ErrUnsupported is returned by Parse for Unknown and for packetization
	// modes that WebRTC does not use.
	ErrUnsupported = errors.New("codec: unsupported payload format")
)

// Payload is what one RTP payload says about itself. The zero value says
// nothing. It holds no reference to the bytes it was read from, so one Payload
// can be shared, read-only, by all who forward the packet.
type Payload struct {
	// Start reports that a frame begins in this packet, as far as the payload
	// can say. With H264, whose payload does not mark picture boundaries, more
	// than one packet of a picture may claim it; see Keyframe.
	Start bool

	// Keyframe reports that a frame with which a decoder can begin starts in
	// this packet. It is never set without Start, and not on the frame's later
	// packets, so a stream may be switched to exactly at such a packet:
	//
	//   - Opus, RED: every packet.
	//   - VP8: first packet of partition 0 (S = 1, PID = 0) of a frame whose
	//     header has P = 0 and the key frame start code (RFC 6386 section 9.1).
	//   - VP9: first packet (B = 1) of a frame of spatial layer 0 that uses no
	//     inter-picture prediction (P = 0). That is the same bit in flexible
	//     and in non-flexible mode. Higher spatial layers of the same picture
	//     also have P = 0 but need layer 0, so they do not count.
	//   - H264: a packet with a sequence parameter set, alone, aggregated or as
	//     the first fragment. WebRTC sends parameter sets in band (RFC 7742
	//     section 6.2) in front of the IDR picture. An IDR slice alone does not
	//     count: without the parameter sets of *its* encoding a decoder that
	//     was fed another resolution shows garbage or nothing.
	//   - AV1: first packet of a coded video sequence (N = 1), AV1 RTP
	//     section 4.4.
	Keyframe bool

	// End reports that this packet is the last of its frame: E in VP9, where
	// every spatial layer of a picture is a frame of its own. False if the
	// format does not say; the RTP marker then does, for the whole picture.
	End bool

	// Discardable reports that no later frame needs this one: N in VP8,
	// nal_ref_idc 0 in H264. False if the format does not say.
	Discardable bool

	// HasLayers reports that SpatialID and TemporalID were in the payload.
	HasLayers bool
	// SpatialID is the spatial layer, 0 (base) to 7.
	SpatialID uint8
	// TemporalID is the temporal layer, 0 (base) to 7.
	TemporalID uint8
	// LayerSync reports that a receiver may move up. In VP8 (Y) this frame
	// needs none but frames of layer 0, so that with it a receiver may begin
	// to decode TemporalID. In VP9 (U) no later picture of a higher temporal
	// layer needs one of those layers from before this picture, so that after
	// it a receiver may begin to decode all above TemporalID.
	LayerSync bool

	// InterPicture reports that the frame is predicted from earlier pictures:
	// P in VP9, which every packet has. A frame of a higher spatial layer
	// without it needs only the layer below in the same picture: with such a
	// frame a receiver may begin to decode SpatialID (RFC 9628 section 4.2).
	// Always false for other formats.
	InterPicture bool
	// InterLayer reports that the frame is predicted from the spatial layer
	// below in the same picture: D in VP9.
	InterLayer bool
	// NotForUpper reports that no higher spatial layer of the same picture is
	// predicted from this frame: Z in VP9.
	NotForUpper bool
	// Flexible reports VP9's flexible mode (F), in which every picture names
	// those it is predicted from and TL0PICIDX is absent.
	Flexible bool

	// Width and Height are the picture size in pixels, 0 when the packet does
	// not say. Most key frames say. With VP9 it is the size of the highest
	// spatial layer.
	Width, Height uint16
	// Structure is the scalability structure in this packet, zero if there is
	// none. VP9 only.
	Structure Structure

	// Descriptor is the picture numbering of VP8 and VP9; zero for others.
	Descriptor Descriptor
}

// MaxSpatial is how many spatial layers a VP9 stream can have.
const MaxSpatial = 8

// Structure says which layers a VP9 encoding is made of, RFC 9628 section
// 4.2.1. The zero value says nothing.
type Structure struct {
	// Spatial is how many spatial layers there are, 1 to MaxSpatial.
	Spatial uint8
	// Temporal is how many temporal layers its picture group has, 1 to 8; 0
	// when it does not describe a group, as in flexible mode.
	Temporal uint8
	// Sizes are the picture sizes of the spatial layers, base first; zero
	// from Spatial on, and everywhere if the structure has none.
	Sizes [MaxSpatial]Size
}

// Size is a picture size in pixels.
type Size struct{ Width, Height uint16 }

// Parse reads payload, the payload of one RTP packet without padding, into
// dst, which is overwritten completely. On error dst says nothing (it is zero)
// and the error is one of this package's. Parse borrows payload until it
// returns, does not allocate, and may be called concurrently.
func Parse(c Codec, payload []byte, dst *Payload) error {
	*dst = Payload{}
	if len(payload) == 0 {
		return ErrShort
	}
	var err error
	switch c {
	case Opus:
		dst.Start, dst.Keyframe = true, true
	case RED:
		if _, _, ok := PrimaryRED(payload); !ok {
			err = ErrMalformed
		}
		dst.Start, dst.Keyframe = true, true
	case VP8:
		err = parseVP8(payload, dst)
	case VP9:
		err = parseVP9(payload, dst)
	case H264:
		err = parseH264(payload, dst)
	case AV1:
		err = parseAV1(payload, dst)
	default:
		err = ErrUnsupported
	}
	if err != nil {
		*dst = Payload{}
	}
	return err
}
