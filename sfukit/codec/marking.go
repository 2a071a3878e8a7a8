package codec

import "github.com/anatolykoptev/oxpulse-sfu/sfukit/codec/framemarking"

// Mark adds what the frame marking extension of the same packet (RFC 9626) says
// to a payload that cannot tell its layers, such as H264. The marking is more
// exact about where a frame begins.
func (p *Payload) Mark(m *framemarking.Marking) {
	p.Start, p.End = m.Start || p.Keyframe, m.End
	p.Discardable = m.Discardable
	p.HasLayers, p.TemporalID, p.LayerSync = true, m.TemporalID, m.BaseSync
}
