package dd

import "errors"

// URI names the extension in SDP, section A.5.
const URI = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"

// Limits of the format (section A.4.1) and, for references, of this package.
const (
	// MaxTemplates is how many templates a structure may have.
	MaxTemplates = 64
	// MaxTargets is how many decode targets a structure may have.
	MaxTargets = 32
	// MaxChains is how many chains a structure may have.
	MaxChains = MaxTargets
	// MaxSpatialID is the highest spatial layer.
	MaxSpatialID = 3
	// MaxTemporalID is the highest temporal layer.
	MaxTemporalID = 7
	// MaxReferences is how many frames a frame may refer to. The format has no
	// limit; AV1 has 8 places for reference frames, and libwebrtc drops frames
	// with more than 5.
	MaxReferences = 16
	// MaxDiff is the largest distance, in frame numbers, to a referred frame.
	MaxDiff = 4096
)

// Errors of Parse.
var (
	// ErrShort is returned for a descriptor that is empty or ends inside a
	// field it says it has.
	ErrShort = errors.New("dd: descriptor too short")
	// ErrMalformed is returned for a descriptor that breaks a rule of the
	// format or exceeds one of this package's limits.
	ErrMalformed = errors.New("dd: malformed descriptor")
	// ErrStructure is returned for a frame whose template belongs to a
	// structure that has not been seen: its key frame is lost or still on its
	// way, or the frame is older than the structures still known. A receiver
	// could not use the packet either.
	ErrStructure = errors.New("dd: frame of an unknown structure")
)

// Indication is a decode target indication (DTI): what a frame is to a decode
// target, table A.1. The zero value is NotPresent.
type Indication uint8

// The indications, with the values they have on the wire.
const (
	// NotPresent frames are no part of the decode target.
	NotPresent Indication = iota
	// Discardable frames belong to the decode target, but no other frame of
	// it refers to them.
	Discardable
	// Switch frames make all later frames of the decode target decodable,
	// provided that they are decodable themselves.
	Switch
	// Required frames belong to the decode target and are neither of these.
	Required
)

// String returns the symbol of table A.1: "-", "D", "S" or "R".
func (i Indication) String() string {
	switch i {
	case NotPresent:
		return "-"
	case Discardable:
		return "D"
	case Switch:
		return "S"
	case Required:
		return "R"
	}
	return "?"
}

// Indications holds one Indication for each decode target. In the zero value
// all are NotPresent.
type Indications uint64

// Of returns the indication for a decode target, 0 to MaxTargets-1.
func (s Indications) Of(target int) Indication { return Indication(s >> (2 * target) & 3) }

// With returns s with the indication for one decode target replaced.
func (s Indications) With(target int, i Indication) Indications {
	return s&^(3<<(2*target)) | Indications(i&3)<<(2*target)
}

// Targets is a set of decode targets: bit i is decode target i, as in the
// active_decode_targets_bitmask.
type Targets uint32

// Has reports whether the decode target is in the set.
func (t Targets) Has(target int) bool { return t>>target&1 == 1 }

// Frame is what the rest of the stream needs to know of a frame: a template, or
// a template with the changes a descriptor made to it. Frames are comparable.
type Frame struct {
	// SpatialID is the spatial layer, 0 (base) to MaxSpatialID.
	SpatialID uint8
	// TemporalID is the temporal layer, 0 (base) to MaxTemporalID.
	TemporalID uint8
	// Indications for each decode target of the structure.
	Indications Indications
	// Diffs are the distances, in frame numbers, to the frames referred to
	// (FDIFF): 1 to MaxDiff, in a template to 16. A zero ends the list; a frame
	// without any can be decoded by itself.
	Diffs [MaxReferences]uint16
	// ChainDiffs are the distances, in frame numbers, to the frame before in
	// each chain; 0 where a chain begins here. In a template at most 15. Zero
	// beyond the structure's chains.
	ChainDiffs [MaxChains]uint8
}

// Intra reports that the frame refers to no other.
func (f *Frame) Intra() bool { return f.Diffs[0] == 0 }

// Descriptor is the dependency descriptor of one packet. It holds no reference
// to the bytes it was read from, so one Descriptor can be shared, read-only, by
// all who forward the packet. Descriptors are comparable.
type Descriptor struct {
	// Start and End report that the packet is the first or last of its frame.
	// A frame is one spatial layer of one picture.
	Start, End bool
	// Attached reports that the structure came with this packet. Only the
	// first packet of a key frame has it, and it is how receivers know one.
	Attached bool
	// HasActive reports that Active was in this packet.
	HasActive bool
	// Template is the index of the frame's template in Structure.Templates.
	Template uint8
	// Active are the decode targets that the sender produces: as in this
	// packet, else as last said.
	Active Targets
	// Number is the frame number, unwrapped: its low 16 bits are those of the
	// packet. It grows in decode order and is common to the packets of a frame.
	Number int64
	// Structure is the one the frame was read with; never nil after Parse, and
	// not to be changed.
	Structure *Structure
	// Frame is what this frame is to the others.
	Frame
}

// Resolution returns the frame's largest size in pixels; ok is false when the
// structure does not say.
func (d *Descriptor) Resolution() (r Resolution, ok bool) {
	if int(d.SpatialID) >= len(d.Structure.Resolutions) {
		return Resolution{}, false
	}
	return d.Structure.Resolutions[d.SpatialID], true
}
