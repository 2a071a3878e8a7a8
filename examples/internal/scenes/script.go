package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// scene is a script: who is there, and what happens when.
type scene struct {
	sum    [sha256.Size]byte // of its text; also seeds all chance in it
	split  string
	length float64 // seconds
	peers  []peer
	events []event
}

// echo reports whether somebody hears the others.
func (s *scene) echo() bool {
	return slices.ContainsFunc(s.peers, func(p peer) bool { return p.echo < 0 })
}

type peer struct {
	name  string
	voice string  // of espeak-ng
	pace  int     // words per minute
	level float64 // of speech while there is some, dBov
	room  float64 // of the steady noise in the room, dBov
	echo  float64 // of the others in this microphone, dB; 0 for none
	dtx   bool    // sends one packet in 400 ms while silent
}

type event struct {
	peer    int
	verb    string
	at, dur float64 // seconds
	level   float64 // dBov; 0 where the verb's own default applies
}

// verbs are what a peer can do, with the usual level of it in dBov.
var verbs = map[string]float64{
	"says": 0, "hums": 0, // at the peer's own level
	"coughs": -17, "types": -36, "slams": -14,
	"music": -44, "fan": -42, "babble": -48,
	"mutes": 0, "drops": 0,
}

func parse(text []byte) (*scene, error) {
	s := &scene{sum: sha256.Sum256(text)}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		if err := s.line(strings.Fields(lines.Text())); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	if s.length <= 0 || s.split == "" || len(s.peers) == 0 {
		return nil, fmt.Errorf("want length, split and peers")
	}
	return s, lines.Err()
}

func (s *scene) line(f []string) (err error) {
	switch {
	case len(f) == 0 || strings.HasPrefix(f[0], "#"):
	case f[0] == "split" && len(f) == 2 && (f[1] == "tune" || f[1] == "judge"):
		s.split = f[1]
	case f[0] == "length" && len(f) == 2:
		s.length, err = strconv.ParseFloat(f[1], 64)
	case f[0] == "peer" && len(f) > 2:
		var p peer
		p, err = parsePeer(f[1:])
		s.peers = append(s.peers, p)
	case len(f) == 4 || len(f) == 5:
		var e event
		e, err = s.parseEvent(f)
		s.events = append(s.events, e)
	default:
		err = fmt.Errorf("%q is no line of a script", strings.Join(f, " "))
	}
	return err
}

func parsePeer(f []string) (peer, error) {
	p := peer{name: f[0], voice: f[1], pace: 160, level: -25, room: -65}
	for _, field := range f[2:] {
		key, value, _ := strings.Cut(field, "=")
		v, err := strconv.ParseFloat(value, 64)
		switch {
		case field == "dtx":
			p.dtx = true
		case err != nil:
			return p, fmt.Errorf("%s: %w", field, err)
		case key == "pace":
			p.pace = int(v)
		case key == "level":
			p.level = v
		case key == "room":
			p.room = v
		case key == "echo":
			p.echo = v
		default:
			return p, fmt.Errorf("%s is nothing of a peer", key)
		}
	}
	return p, nil
}

func (s *scene) parseEvent(f []string) (e event, err error) {
	for e.peer = 0; e.peer < len(s.peers) && s.peers[e.peer].name != f[1]; e.peer++ {
	}
	level, known := verbs[f[2]]
	if e.peer == len(s.peers) || !known {
		return e, fmt.Errorf("no peer %s or verb %s", f[1], f[2])
	}
	e.verb, e.level = f[2], level
	if e.at, err = strconv.ParseFloat(f[0], 64); err != nil {
		return e, err
	}
	if e.dur, err = strconv.ParseFloat(f[3], 64); err != nil {
		return e, err
	}
	if len(f) == 5 {
		e.level, err = strconv.ParseFloat(f[4], 64)
	}
	if e.at < 0 || e.dur <= 0 || e.at+e.dur > s.length {
		return e, fmt.Errorf("%v s from %v is outside the scene", e.dur, e.at)
	}
	return e, err
}
