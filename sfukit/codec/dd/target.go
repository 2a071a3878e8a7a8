package dd

// choose settles the decode target from d on; first tells whether d is the
// first frame of its picture.
func (s *Selector) choose(d *Descriptor, first bool) {
	if d.Structure != s.now.structure {
		if d.Intra() {
			before := s.now
			s.now.structure = d.Structure
			s.active, s.stale = d.Active, true
			s.turn(before, s.wanted(), d.Number)
		}
		return
	}
	if d.Active != s.active {
		s.active, s.stale = d.Active, true
	}
	if !first && d.SpatialID < s.now.top {
		return
	}
	if s.wanted() == s.now.target {
		return
	}
	if next, ok := s.step(d, first); ok {
		s.turn(s.now, next, d.Number)
	}
}

// turn puts a target of the current structure into force, after the aim before.
func (s *Selector) turn(before aim, target int, number int64) {
	copy(s.before[1:], s.before[:])
	s.before[0] = before
	st := s.now.structure
	spatial, _ := st.Layers(target)
	s.now = aim{structure: st, target: target, top: spatial, within: st.Within(target), since: number}
}

// limits returns the highest layers wanted.
func (s *Selector) limits() (spatial, temporal uint8) {
	if !s.limited {
		return MaxSpatialID, MaxTemporalID
	}
	return s.spatial, s.temporal
}

// wanted returns the target that would be in force if it could be chosen
// freely.
func (s *Selector) wanted() int {
	if !s.stale {
		return s.best
	}
	s.stale = false
	st, among := s.now.structure, s.active
	if among == 0 {
		among = st.All()
	}
	spatial, temporal := s.limits()
	best, ok := st.Target(spatial, temporal, among)
	if !ok {
		best = st.lowest(among)
	}
	s.best = best
	return best
}

// step returns the best target that can come into force at d, if that is nearer
// to what is wanted than the current one. Within a picture that is only one
// with more layers.
func (s *Selector) step(d *Descriptor, first bool) (next int, ok bool) {
	st := s.now.structure
	maxS, maxT := s.limits()
	nowS, nowT := st.Layers(s.now.target)
	floor := -1 // a target must rank above it
	if s.active.Has(s.now.target) && nowS <= maxS && nowT <= maxT {
		floor = rank(nowS, nowT)
	}
	decodable := s.decodable(d)
	key := d.Attached          // all targets begin with it, even those it is not part of
	spare, spareRank := -1, -1 // if none is low enough: fewer temporal layers of what there is
	for t := range st.Targets {
		if !s.active.Has(t) {
			continue
		}
		S, T := st.Layers(t)
		if !first && rank(S, T) <= rank(nowS, nowT) {
			continue
		}
		has := s.now.within.Has(t)
		if !has && !key && !(decodable && d.Indications.Of(t) == Switch) {
			continue
		}
		r := rank(S, T)
		switch {
		case t == s.best:
			return t, true
		case S <= maxS && T <= maxT && r > floor:
			next, ok, floor = t, true, r
		case has && T <= maxT && T < nowT && r > spareRank:
			spare, spareRank = t, r
		}
	}
	if !ok && spare >= 0 && nowT > maxT {
		return spare, true
	}
	return next, ok
}

// rank orders layers: more spatial ones first, then more temporal ones.
func rank(spatial, temporal uint8) int { return int(spatial)*(MaxTemporalID+1) + int(temporal) }

// lowest returns the target of the set with the lowest layers.
func (s *Structure) lowest(among Targets) int {
	best, bestRank := 0, MaxTargets
	for t := range s.Targets {
		if !among.Has(t) {
			continue
		}
		if r := rank(s.Layers(t)); r < bestRank {
			best, bestRank = t, r
		}
	}
	return best
}
