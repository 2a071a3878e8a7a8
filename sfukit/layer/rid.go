// Package layer names the simulcast encodings of a video track and answers
// which of them to send. For when to change it under a bandwidth estimate, see
// package pacer; for making the change decodable, see package rewrite.
package layer

import "errors"

// RID is the restriction identifier of one simulcast encoding (RFC 8851), the
// value of the RtpStreamId header extension (RFC 8852 section 3). The empty
// RID is the only encoding of a track that is not simulcast or, as a limit,
// no limit. Publishers choose their names, so a RID is an open set: code must
// not assume it is one of the constants.
type RID string

// The names browsers conventionally give to three encodings of one track: a
// quarter, half and all of the captured width. The tiers of package pacer bear
// these names too.
const (
	Low    RID = "q"
	Medium RID = "h"
	High   RID = "f"
)

// maxRIDLen is the longest accepted name in bytes. RFC 8852 allows more; no
// browser uses it, and names become map keys and log fields.
const maxRIDLen = 8

// ErrInvalidRID is returned by ParseRID for a name that is empty, longer than
// eight bytes, or holds anything but ASCII letters and digits. Its text is the
// one oxpulse-sfu-kit shows, this kit's predecessor in Rust, without a package
// prefix.
var ErrInvalidRID = errors.New("invalid RID: must be short ASCII")

// ParseRID returns s as a RID if it is 1 to 8 ASCII letters or digits, and
// ErrInvalidRID otherwise. The text is kept as it is; RIDs are case-sensitive.
// It does not allocate, so it may be fed from the network.
func ParseRID(s string) (RID, error) {
	if len(s) == 0 || len(s) > maxRIDLen {
		return "", ErrInvalidRID
	}
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9', 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z':
		default:
			return "", ErrInvalidRID
		}
	}
	return RID(s), nil
}

// Rank orders RIDs by name alone: 0 for Low, 1 for Medium and 2 for every
// other name. It is what the protocol's tiers mean by lower and higher. To
// order the encodings a publisher really sends, use a Ladder.
func (r RID) Rank() int {
	switch r {
	case Low:
		return 0
	case Medium:
		return 1
	default:
		return 2
	}
}

// conventional reports whether the name itself tells the order.
func (r RID) conventional() bool { return r == Low || r == Medium || r == High }

// BestFit returns the member of active that comes closest to desired, judged
// by Rank: the highest that is not above desired, else the lowest. With
// nothing active it returns desired. Among equally ranked members desired
// itself comes first, then the earlier one. It borrows active and does not
// allocate.
//
// BestFit knows names only; a Ladder also knows sizes and liveness.
func BestFit(desired RID, active []RID) RID {
	if len(active) == 0 {
		return desired
	}
	limit := desired.Rank()
	below, lowest := -1, 0
	for i, r := range active {
		if r == desired {
			return r
		}
		rank := r.Rank()
		if rank < active[lowest].Rank() {
			lowest = i
		}
		if rank <= limit && (below < 0 || rank > active[below].Rank()) {
			below = i
		}
	}
	if below < 0 {
		return active[lowest]
	}
	return active[below]
}
