package codec

// maxSPS bounds the bytes of a sequence parameter set that are read. The
// picture size comes early; only scaling lists can push it back, by less than
// this.
const maxSPS = 512

// maxReferenceCycle is the largest num_ref_frames_in_pic_order_cnt_cycle,
// H.264 section 7.4.2.1.1.
const maxReferenceCycle = 255

// sizeFromSPS reads the cropped picture size from a sequence parameter set
// without its NAL header, H.264 section 7.3.2.1.1. Ok is false when it is cut
// short (as in a fragment), out of range or beyond 65535 pixels.
func sizeFromSPS(body []byte) (width, height uint16, ok bool) {
	var buf [maxSPS]byte
	r := bitReader{b: unescapeNAL(buf[:0], body)}

	profile := r.bits(8)
	r.skip(16) // constraint flags, level_idc
	r.golomb() // seq_parameter_set_id
	chroma := uint32(1)
	if hasChromaFormat(profile) {
		chroma = readChromaFormat(&r)
	}
	r.golomb()          // log2_max_frame_num_minus4
	switch r.golomb() { // pic_order_cnt_type
	case 0:
		r.golomb() // log2_max_pic_order_cnt_lsb_minus4
	case 1:
		r.skip(1)  // delta_pic_order_always_zero_flag
		r.golomb() // offset_for_non_ref_pic
		r.golomb() // offset_for_top_to_bottom_field
		cycle := r.golomb()
		if cycle > maxReferenceCycle {
			return 0, 0, false
		}
		for range cycle {
			r.golomb() // offset_for_ref_frame
		}
	}
	r.golomb() // max_num_ref_frames
	r.skip(1)  // gaps_in_frame_num_value_allowed_flag

	w := (uint64(r.golomb()) + 1) * 16
	mapUnits := uint64(r.golomb()) + 1
	progressive := uint64(r.bit())
	if progressive == 0 {
		r.skip(1) // mb_adaptive_frame_field_flag
	}
	h := (2 - progressive) * mapUnits * 16
	r.skip(1) // direct_8x8_inference_flag
	if r.flag() {
		unitX, unitY := cropUnits(chroma, progressive)
		cropX := unitX * (uint64(r.golomb()) + uint64(r.golomb()))
		cropY := unitY * (uint64(r.golomb()) + uint64(r.golomb()))
		if cropX >= w || cropY >= h {
			return 0, 0, false
		}
		w, h = w-cropX, h-cropY
	}
	if r.short || w > 0xffff || h > 0xffff {
		return 0, 0, false
	}
	return uint16(w), uint16(h), true
}

// unescapeNAL appends src to dst without its emulation prevention bytes, the 3
// in each 0 0 3 (H.264 section 7.4.1), as far as dst has room.
func unescapeNAL(dst, src []byte) []byte {
	zeros := 0
	for _, v := range src {
		if len(dst) == cap(dst) {
			break
		}
		if v == 3 && zeros >= 2 {
			zeros = 0
			continue
		}
		if v == 0 {
			zeros++
		} else {
			zeros = 0
		}
		dst = append(dst, v)
	}
	return dst
}

// hasChromaFormat reports whether a profile's parameter set names its chroma
// format; those that do not are 4:2:0.
func hasChromaFormat(profile uint32) bool {
	switch profile {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135:
		return true
	}
	return false
}

// readChromaFormat reads from chroma_format_idc through the scaling matrix and
// returns ChromaArrayType: 0 is monochrome or separate planes, 1 is 4:2:0, 2 is
// 4:2:2, 3 is 4:4:4.
func readChromaFormat(r *bitReader) uint32 {
	format := r.golomb()
	lists := 8
	array := format
	if format == 3 {
		lists = 12
		if r.flag() { // separate_colour_plane_flag
			array = 0
		}
	}
	r.golomb()    // bit_depth_luma_minus8
	r.golomb()    // bit_depth_chroma_minus8
	r.skip(1)     // qpprime_y_zero_transform_bypass_flag
	if r.flag() { // seq_scaling_matrix_present_flag
		for i := range lists {
			if !r.flag() {
				continue
			}
			if i < 6 {
				skipScalingList(r, 16)
			} else {
				skipScalingList(r, 64)
			}
		}
	}
	return array
}

// skipScalingList passes over a scaling list of size entries, H.264 section
// 7.3.2.1.1.1: deltas are present until the running scale becomes zero.
func skipScalingList(r *bitReader, size int) {
	scale := int32(8)
	for range size {
		if scale = (scale + r.signedGolomb()) & 0xff; scale == 0 || r.short {
			return
		}
	}
}

// cropUnits returns CropUnitX and CropUnitY, H.264 section 7.4.2.1.1.
func cropUnits(chroma uint32, progressive uint64) (x, y uint64) {
	x, y = 1, 2-progressive
	if chroma == 1 || chroma == 2 {
		x = 2
	}
	if chroma == 1 {
		y *= 2
	}
	return x, y
}
