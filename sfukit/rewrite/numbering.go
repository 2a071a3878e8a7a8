package rewrite

// maxSpans is how many separate skips are remembered for reordered packets.
const maxSpans = 64

// span is a stretch of source numbers that are sent with the same shift.
type span struct {
	from     int64 // first source number
	shift    int64 // line number - source number
	pictures int64 // picture numbers closed up before it, in this run
}

// numbering maps the source numbers of one run to those of the line. Each span
// reaches up to the numbers skipped before the next: as many as the shift
// falls by.
type numbering struct {
	spans [maxSpans]span
	n     int
}

// reset begins a run in which source number seq is sent as line.
func (m *numbering) reset(seq, line int64) {
	m.spans[0] = span{from: seq, shift: line - seq}
	m.n = 1
}

// find returns the span of seq, or why there is none: Skipped, or Late when it
// is older than the run or than the spans remembered.
func (m *numbering) find(seq int64) (span, Drop) {
	for i := m.n - 1; i >= 0; i-- {
		s := m.spans[i]
		if seq < s.from {
			continue
		}
		if i+1 < m.n {
			next := m.spans[i+1]
			if seq >= next.from-(s.shift-next.shift) {
				return span{}, Skipped
			}
		}
		return s, Forwarded
	}
	return span{}, Late
}

// source returns the source number that is sent as line, if the run has one.
func (m *numbering) source(line int64) (seq int64, ok bool) {
	for i := m.n - 1; i >= 0; i-- {
		if s := m.spans[i]; line >= s.from+s.shift {
			return line - s.shift, true
		}
	}
	return 0, false
}

// skip leaves out seq, which must be newer than all seen, and closes up the
// given number of pictures.
func (m *numbering) skip(seq, pictures int64) {
	s := m.spans[m.n-1]
	following := span{from: seq + 1, shift: s.shift - 1, pictures: s.pictures + pictures}
	if s.from == seq { // the number before was skipped, too
		m.spans[m.n-1] = following
		return
	}
	if m.n == maxSpans {
		copy(m.spans[:], m.spans[1:])
		m.n--
	}
	m.spans[m.n] = following
	m.n++
}
