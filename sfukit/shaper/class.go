package shaper

import "strconv"

// Class says how urgent a packet is. Of what waits, the greater class leaves
// first. The zero value is Padding, and so is a value that is no class: what
// nobody has classified must not overtake media.
type Class uint8

// The classes, in ascending order of urgency.
const (
	// Padding carries nothing a receiver plays. It leaves when nothing else waits.
	Padding Class = iota
	// Video is media that may be spread out over time.
	Video
	// Retransmission overtakes Video: a frame, and all that depend on it, waits for
	// it at the receiver.
	Retransmission
	// Audio never waits. It counts, so that the rest makes room for it.
	Audio

	classes = iota
)

var classNames = [classes]string{"padding", "video", "retransmission", "audio"}

// String returns the class's name in lower case, as used for metric labels, or
// "class(n)" for a value that is none.
func (c Class) String() string {
	if c < classes {
		return classNames[c]
	}
	return "class(" + strconv.Itoa(int(c)) + ")"
}

// valid returns c, or Padding if it is no class.
func (c Class) valid() Class {
	if c < classes {
		return c
	}
	return Padding
}
