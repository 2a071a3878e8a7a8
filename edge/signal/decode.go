package signal

import (
	"encoding/json"
	"errors"
	"strings"
)

// FrameError says what is wrong with the shape of a received frame. The socket
// it came from stays usable. It never quotes what was received.
type FrameError struct {
	// Frame is the name of the frame, "" if it could not be told.
	Frame string
	// Field is the offending member, "" if it is the whole frame.
	Field string
	// Problem says what is wrong with it.
	Problem string
}

// Error returns "signal: frame offer: sdp: missing".
func (e *FrameError) Error() string {
	var b strings.Builder
	b.WriteString("signal: frame")
	if e.Frame != "" {
		b.WriteString(" " + e.Frame)
	}
	if e.Field != "" {
		b.WriteString(": " + e.Field)
	}
	b.WriteString(": " + e.Problem)
	return b.String()
}

// spec describes one frame to the decoder.
type spec struct {
	frame    Frame
	required string // members that must be there, apart by spaces; null counts only for ice
	decode   func([]byte) (Frame, error)
}

func as[F Frame](b []byte) (Frame, error) {
	var f F
	err := json.Unmarshal(b, &f)
	return f, err
}

// table indexes specs by "key:name".
func table(specs ...spec) map[string]spec {
	m := make(map[string]spec, len(specs))
	for _, s := range specs {
		key, name := s.frame.tag()
		m[key+":"+name] = s
	}
	return m
}

var clientSpecs = table(
	spec{Offer{}, "sdp", as[Offer]},
	spec{AnswerRenegotiate{}, "sdp", as[AnswerRenegotiate]},
	spec{ICE{}, "candidate", as[ICE]},
	spec{BWEHint{}, "from ts bps", as[BWEHint]},
	spec{SetLayer{}, "mid", as[SetLayer]},
	spec{Leave{}, "", as[Leave]},
	spec{Resume{}, "token", as[Resume]},
	spec{ClientStats{}, "", as[ClientStats]},
)

var serverSpecs = table(
	spec{Answer{}, "sdp", as[Answer]},
	spec{ICE{}, "candidate", as[ICE]},
	spec{Welcome{}, "peer_id room", as[Welcome]},
	spec{TracksMap{}, "tracks", as[TracksMap]},
	spec{OfferRenegotiate{}, "sdp mid", as[OfferRenegotiate]},
	spec{TracksMapUpdate{}, "tracks", as[TracksMapUpdate]},
	spec{TracksRemoved{}, "mids", as[TracksRemoved]},
	spec{PeerJoined{}, "peer_id", as[PeerJoined]},
	spec{PeerLeft{}, "peer_id", as[PeerLeft]},
	spec{Speaker{}, "confidence", as[Speaker]},
	spec{Layer{}, "mid", as[Layer]},
	spec{VideoMode{}, "mode", as[VideoMode]},
	spec{PublishLayers{}, "mid rids", as[PublishLayers]},
	spec{Error{}, "code", as[Error]},
	spec{GoAway{}, "reason", as[GoAway]},
)

// DecodeClient reads a frame a client sent. A frame it does not know is an
// Unknown; a known one of the wrong shape is a *FrameError.
func DecodeClient(b []byte) (ClientFrame, error) {
	f, err := decode(clientSpecs, b)
	if err != nil {
		return nil, err
	}
	return f.(ClientFrame), nil
}

// DecodeServer reads a frame a server sent, with the same rules as DecodeClient.
func DecodeServer(b []byte) (ServerFrame, error) {
	f, err := decode(serverSpecs, b)
	if err != nil {
		return nil, err
	}
	return f.(ServerFrame), nil
}

func decode(known map[string]spec, b []byte) (Frame, error) {
	var members map[string]json.RawMessage
	if json.Unmarshal(b, &members) != nil || members == nil {
		return nil, &FrameError{Problem: "not a JSON object"}
	}
	s, name, err := find(known, members)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return Unknown{Name: name[:min(len(name), 64)]}, nil
	}
	for _, field := range strings.Fields(s.required) {
		if v, ok := members[field]; !ok || (string(v) == "null" && name != "ice") {
			return nil, &FrameError{name, field, "missing"}
		}
	}
	f, err := s.decode(b)
	if err != nil {
		return nil, shapeError(name, err)
	}
	if err := check(f); err != nil {
		return nil, err
	}
	return f, nil
}

// find looks the frame up by "kind", then by "type". A nil spec with a nil
// error is an unknown frame.
func find(known map[string]spec, members map[string]json.RawMessage) (*spec, string, error) {
	var last string
	for _, key := range [...]string{keyKind, keyType} {
		raw, ok := members[key]
		if !ok {
			continue
		}
		var name string
		if json.Unmarshal(raw, &name) != nil {
			return nil, "", &FrameError{Field: key, Problem: "want a string"}
		}
		if s, ok := known[key+":"+name]; ok {
			return &s, name, nil
		}
		last = name
	}
	return nil, last, nil
}

// shapeError turns what encoding/json says into a FrameError.
func shapeError(name string, err error) error {
	if fe, ok := errors.AsType[*FrameError](err); ok {
		return fe
	}
	if te, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		got, _, _ := strings.Cut(te.Value, " ") // "number" of "number 1e9", to quote nothing
		return &FrameError{name, te.Field, "want " + te.Type.String() + ", not " + got}
	}
	return &FrameError{name, "", "malformed"}
}

// check holds the rules that types alone do not express.
func check(f Frame) error {
	switch f := f.(type) {
	case Offer:
		return notEmpty("offer", "sdp", f.SDP)
	case AnswerRenegotiate:
		return notEmpty("answer-renegotiate", "sdp", f.SDP)
	case SetLayer:
		if f.MaxWidth < 0 {
			return &FrameError{"set_layer", "max_width", "negative"}
		}
		if f.Priority < -MaxPriority || f.Priority > MaxPriority {
			return &FrameError{"set_layer", "priority", "want -8 to 8"}
		}
		return notEmpty("set_layer", "mid", f.MID)
	case Resume:
		return notEmpty("resume", "token", f.Token)
	case ClientStats:
		if len(f.Report) > MaxStatsReport {
			return &FrameError{"stats", "report", "too large"}
		}
	}
	return nil
}

func notEmpty(frame, field, value string) error {
	if value == "" {
		return &FrameError{frame, field, "empty"}
	}
	return nil
}
