package rewrite

// Drop says why a packet was not forwarded. The zero value means that it was.
type Drop uint8

// The reasons for which Map drops a packet.
const (
	// Forwarded means not dropped.
	Forwarded Drop = iota
	// NotWanted packets belong to an encoding that the line does not show.
	NotWanted
	// AwaitKeyframe packets belong to the wanted encoding, or to one that has
	// restarted, before the key frame with which it can begin. The caller
	// should see to it that one is asked for.
	AwaitKeyframe
	// Late packets precede the switch to their source, follow the switch away
	// from it out of order, or are older than the window of remembered numbers.
	Late
	// Duplicate packets were forwarded before.
	Duplicate
	// Paused packets arrived while the line wants no source.
	Paused
	// Skipped packets were given up by Skip, or as Layer, before; their number is
	// closed.
	Skipped
	// Layer packets belong to a spatial or temporal layer that the line does
	// not have, see Rewriter.WantLayers; their numbers are closed.
	Layer

	// DropCount is the number of values, for arrays indexed by Drop.
	DropCount = iota
)

var dropNames = [DropCount]string{
	Forwarded:     "forwarded",
	NotWanted:     "not_wanted",
	AwaitKeyframe: "await_keyframe",
	Late:          "late",
	Duplicate:     "duplicate",
	Paused:        "paused",
	Skipped:       "skipped",
	Layer:         "layer",
}

// Drops returns all reasons, without Forwarded, for counters that must exist
// before they count.
func Drops() []Drop {
	return []Drop{NotWanted, AwaitKeyframe, Late, Duplicate, Paused, Skipped, Layer}
}

// String returns the reason in lower case with underscores, fit for a metric
// label, and "unknown" for a value that is none of the constants.
func (d Drop) String() string {
	if int(d) >= len(dropNames) {
		return "unknown"
	}
	return dropNames[d]
}
