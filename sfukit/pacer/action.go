package pacer

import "strconv"

// Action is what a subscriber's video should do after an estimate. The zero
// value is NoChange.
type Action uint8

// The actions of Pacer.Update.
const (
	NoChange     Action = iota // go on as before
	ChangeLayer                // send the returned tier instead
	GoAudioOnly                // stop sending video
	RestoreVideo               // send video again, beginning with the returned tier
	SuspendVideo               // stop sending video and tell the peers it is suspended
	RestoreAudio               // no longer suspended, still audio only
)

var actionNames = [...]string{
	NoChange:     "no-change",
	ChangeLayer:  "change-layer",
	GoAudioOnly:  "go-audio-only",
	RestoreVideo: "restore-video",
	SuspendVideo: "suspend-video",
	RestoreAudio: "restore-audio",
}

// String returns the action's name in lower case with hyphens, as used for
// metric labels, or "action(n)" for a value that is none.
func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return "action(" + strconv.Itoa(int(a)) + ")"
}
