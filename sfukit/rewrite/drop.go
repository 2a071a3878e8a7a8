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
	// Skipped packets were given up by Skip before; their number is closed.
	Skipped

	dropCount
)

var dropNames = [dropCount]string{
	Forwarded:     "forwarded",
	NotWanted:     "not_wanted",
	AwaitKeyframe: "await_keyframe",
	Late:          "late",
	Duplicate:     "duplicate",
	Paused:        "paused",
	Skipped:       "skipped",
}

// Drops returns all reasons, without Forwarded, for counters that must exist
// before they count.
func Drops() []Drop {
	return []Drop{NotWanted, AwaitKeyframe, Late, Duplicate, Paused, Skipped}
}

// String returns the reason in lower case with underscores, fit for a metric
// label, and "unknown" for a value that is none of the constants.
func (d Drop) String() string {
	if d >= dropCount {
		return "unknown"
	}
	return dropNames[d]
}
