package signal

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Frame is one message of the protocol. The types of this package that
// implement it are values without hidden state; copying one is fine.
type Frame interface {
	// tag is the JSON member that names the frame, and its value. Version 1 uses
	// "kind" for offer, answer, ice and bwe-hint, and "type" for everything else.
	tag() (key, name string)
}

// ClientFrame is a frame a client sends.
type ClientFrame interface {
	Frame
	fromClient()
}

// ServerFrame is a frame a server sends.
type ServerFrame interface {
	Frame
	fromServer()
}

const (
	keyKind = "kind"
	keyType = "type"
)

// Encode returns the frame as one line of JSON whose first member names it.
// It fails only if a raw value inside the frame is no JSON.
func Encode(f Frame) ([]byte, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false) // descriptions are full of characters HTML would escape
	key, name := f.tag()
	if err := enc.Encode(f); err != nil {
		return nil, fmt.Errorf("encode frame %s: %w", name, err)
	}
	members := bytes.TrimSuffix(body.Bytes(), []byte("\n"))[1:] // without the opening brace

	out := make([]byte, 0, len(members)+len(key)+len(name)+8)
	out = append(out, `{"`+key+`":"`+name+`"`...)
	if len(members) > 1 { // more than the closing brace
		out = append(out, ',')
	}
	return append(out, members...), nil
}

// ICE carries one trickled candidate, in either direction (RFC 8838).
type ICE struct {
	// Candidate is the candidate; nil says that there are no more.
	Candidate *Candidate `json:"candidate"`
}

// Unknown is a frame this version does not know. It is to be ignored, so that
// the protocol can grow. It cannot be sent.
type Unknown struct {
	// Name is what the frame calls itself, cut to 64 bytes; "" if it has no name.
	Name string `json:"-"`
}

func (ICE) tag() (string, string)       { return keyKind, "ice" }
func (u Unknown) tag() (string, string) { return keyType, "unknown" }

func (ICE) fromClient()     {}
func (ICE) fromServer()     {}
func (Unknown) fromClient() {}
func (Unknown) fromServer() {}
