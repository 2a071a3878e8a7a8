package codec

// sizeFromSequenceHeader reads max_frame_width and max_frame_height from a
// sequence header OBU without its header, AV1 section 5.5.1. Ok is false when
// it is cut short.
func sizeFromSequenceHeader(body []byte) (width, height uint16, ok bool) {
	r := bitReader{b: body}
	r.skip(3 + 1) // seq_profile, still_picture
	if r.flag() { // reduced_still_picture_header
		r.skip(5) // seq_level_idx
	} else {
		skipOperatingPoints(&r)
	}
	widthBits := int(r.bits(4)) + 1
	heightBits := int(r.bits(4)) + 1
	w := r.bits(widthBits) + 1
	h := r.bits(heightBits) + 1
	if r.short || w > 0xffff || h > 0xffff {
		return 0, 0, false
	}
	return uint16(w), uint16(h), true
}

// skipOperatingPoints passes over timing information and the operating points,
// of which there are at most 32.
func skipOperatingPoints(r *bitReader) {
	decoderModel := false
	delayBits := 0
	if r.flag() { // timing_info_present_flag
		r.skip(64)    // num_units_in_display_tick, time_scale
		if r.flag() { // equal_picture_interval
			r.golomb() // num_ticks_per_picture_minus_1
		}
		if decoderModel = r.flag(); decoderModel {
			delayBits = int(r.bits(5)) + 1
			r.skip(32 + 5 + 5) // decoding tick, removal and presentation lengths
		}
	}
	displayDelay := r.flag() // initial_display_delay_present_flag
	points := int(r.bits(5)) + 1
	for range points {
		r.skip(12)         // operating_point_idc
		if r.bits(5) > 7 { // seq_level_idx
			r.skip(1) // seq_tier
		}
		if decoderModel && r.flag() {
			r.skip(2*delayBits + 1) // decoder and encoder delay, low_delay_mode_flag
		}
		if displayDelay && r.flag() {
			r.skip(4) // initial_display_delay_minus_1
		}
	}
}
