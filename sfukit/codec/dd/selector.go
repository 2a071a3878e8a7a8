package dd

// window is how many frame numbers back a Selector remembers; a power of two.
// It is 11 s of 30 pictures a second in three spatial layers.
const window = 1024

// fate is what became of a frame.
type fate uint8

const (
	unseen fate = iota
	usable      // forwarded, and so was all it needs
	broken      // forwarded, but something it needs was not
	left        // not forwarded
)

// maxAims is how many decode targets back a late frame can be judged by.
const maxAims = 16

// aim is a decode target of a structure and what is derived from them. The zero
// value takes no frames.
type aim struct {
	structure *Structure
	target    int
	top       uint8   // highest spatial layer
	within    Targets // decodable by who gets target
	since     int64   // first frame number it is in force for
}

// Selector chooses the frames of one source for one subscriber: those of one
// decode target, which it changes only where the receiver can follow. The zero
// value wants all layers and waits for a key frame. A Selector is not safe for
// concurrent use, and does not allocate.
//
// The target changes
//
//   - at any picture to one all of whose frames the subscriber has been getting:
//     fewer temporal layers, or with full SVC fewer spatial ones;
//   - to any other at a key frame, or at a frame that has the Switch indication
//     for it and refers only to frames the subscriber got, section A.4.4. As
//     browsers encode, more temporal layers come at the next picture of the
//     temporal base layer, and more spatial layers at a key frame; with the KEY
//     modes so do fewer.
//
// A picture that begins with Required frames and has its Switch indication in an
// upper layer comes in two parts, each with a marker bit: the lower layers were
// on their way before that was known. So Chromium begins layers in mid-stream.
//
// Base layer frames that need no other are forwarded with every target: they
// carry the structure and, with AV1, the sequence header.
//
// A frame that was lost is believed to come late, because it is sent again or
// else a key frame follows: see Intact.
type Selector struct {
	limited           bool // Want was called
	spatial, temporal uint8

	now           aim
	before        [maxAims]aim // for late frames, the latest first
	best          int          // the wanted target of now.structure when active
	active        Targets
	stale         bool // best is to be found again
	first, newest int64
	timestamp     uint32
	fates         [window]fate
}

// Want sets the highest layers to forward; values beyond what there is mean
// all. If no decode target is that low, its lowest one is forwarded.
func (s *Selector) Want(spatial, temporal uint8) {
	s.limited, s.spatial, s.temporal, s.stale = true, spatial, temporal, true
}

// Reset forgets the source, but not what is wanted: the next frame taken will
// be a key frame.
func (s *Selector) Reset() {
	*s = Selector{limited: s.limited, spatial: s.spatial, temporal: s.temporal}
}

// Current returns the layers of the decode target that is forwarded; ok is
// false before the first key frame.
func (s *Selector) Current() (spatial, temporal uint8, ok bool) {
	if s.now.structure == nil {
		return 0, 0, false
	}
	spatial, temporal = s.now.structure.Layers(s.now.target)
	return spatial, temporal, true
}

// NeedsKeyframe reports that the wanted spatial layer can probably not be
// reached, and a receiver cannot start, without a key frame: one should be
// asked for.
func (s *Selector) NeedsKeyframe() bool {
	if s.now.structure == nil {
		return true
	}
	best := s.wanted()
	if s.now.within.Has(best) {
		return false
	}
	spatial, _ := s.now.structure.Layers(best)
	return spatial != s.now.top
}

// Take reports whether the packet described by d is for the subscriber. It is
// the same for all packets of a frame, in whatever order they come, and for
// packets that come again. The RTP timestamp tells pictures apart. False means
// that the packet is not part of the subscriber's stream, or so late that it
// cannot be said any more whether it is.
func (s *Selector) Take(d *Descriptor, timestamp uint32) bool {
	if s.now.structure == nil || d.Number <= s.newest-window {
		if !d.Attached {
			return false
		}
		s.start(d) // for the first time, or of a sender that begins anew
	}
	if d.Number > s.newest {
		first := timestamp != s.timestamp && (d.SpatialID == 0 || d.Number == s.newest+1)
		s.timestamp = timestamp
		s.advance(d.Number)
		s.choose(d, first)
	}
	if d.Number < s.first {
		return false
	}
	f := &s.fates[d.Number&(window-1)]
	if *f == unseen {
		*f = s.judge(d)
	}
	return *f != left
}

// Active returns which of the active decode targets the subscriber gets.
func (s *Selector) Active(d *Descriptor) Targets {
	return d.Active & s.at(d.Number).within
}

// Ends reports that the packet ends the highest spatial layer that is
// forwarded, and with it the picture: it carries the RTP marker bit. So does
// the packet that has it from the sender, when that layer is missing.
func (s *Selector) Ends(d *Descriptor) bool {
	return d.End && d.SpatialID == s.at(d.Number).top
}

// Intact reports whether the frame that comes before d in the chain of the
// decode target has been seen, section A.4.3; it is to be asked after Take(d).
// False means that the receiver will miss a frame it cannot do without: either
// that is merely late, or the picture stands still until the next key frame.
// A target without a chain counts as intact.
func (s *Selector) Intact(d *Descriptor) bool {
	a := s.at(d.Number)
	if a.structure != d.Structure || d.Structure.Chains == 0 {
		return true
	}
	chain := int(d.Structure.ProtectedBy[a.target])
	if chain >= d.Structure.Chains || d.ChainDiffs[chain] == 0 {
		return true
	}
	n := d.Number - int64(d.ChainDiffs[chain])
	if n < max(a.since, s.first) {
		return true // from before the target was forwarded
	}
	f := s.fates[n&(window-1)]
	return f == usable || f == broken
}

// start begins at a key frame.
func (s *Selector) start(d *Descriptor) {
	s.Reset()
	s.first, s.newest = d.Number, d.Number-1
}

// advance makes n the newest frame number.
func (s *Selector) advance(n int64) {
	if n-s.newest >= window {
		s.fates = [window]fate{}
	} else {
		for i := s.newest + 1; i <= n; i++ {
			s.fates[i&(window-1)] = unseen
		}
	}
	s.newest = n
	s.first = max(s.first, n-window+1)
}

// at returns the aim in force at a frame.
func (s *Selector) at(number int64) *aim {
	if number >= s.now.since {
		return &s.now
	}
	i := 0
	for i < maxAims-1 && number < s.before[i].since {
		i++
	}
	return &s.before[i]
}

// judge decides on a frame that was not seen before.
func (s *Selector) judge(d *Descriptor) fate {
	a := s.at(d.Number)
	start := d.Intra() && d.SpatialID == 0
	if d.Structure != a.structure || !start && d.Indications.Of(a.target) == NotPresent {
		return left
	}
	for _, diff := range d.Diffs {
		if diff == 0 {
			break
		}
		n := d.Number - int64(diff)
		if n < s.first {
			return broken
		}
		if f := s.fates[n&(window-1)]; f == broken || f == left {
			return broken
		}
	}
	return usable
}

// decodable reports whether the subscriber has all that d refers to.
func (s *Selector) decodable(d *Descriptor) bool {
	for _, diff := range d.Diffs {
		if diff == 0 {
			break
		}
		n := d.Number - int64(diff)
		if n < s.first || s.fates[n&(window-1)] != usable {
			return false
		}
	}
	return true
}
