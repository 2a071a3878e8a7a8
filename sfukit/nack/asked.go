package nack

import "slices"

// Asked reports whether the packet with the unwrapped sequence number seq is missing
// and has been asked for, so that its arrival would be a repair and not merely
// late. Ask before [Generator.Received] is told of it.
func (g *Generator) Asked(seq int64) bool {
	i, found := slices.BinarySearchFunc(g.missing, seq, bySeq)
	return found && g.missing[i].tries > 0
}
