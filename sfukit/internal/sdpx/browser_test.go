package sdpx_test

// Offers in the shape of two browsers'. Keys and names are made up.

const (
	print32 = "6B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08"
	common  = "a=ice-ufrag:Jtwq\r\na=ice-pwd:0PV5XmhFvb8BfQl2x5pBxUqL\r\na=ice-options:trickle\r\n" +
		"a=fingerprint:sha-256 " + print32 + "\r\na=setup:actpass\r\n"

	// Audio with RED, simulcast video in three layers, a data channel.
	chrome = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n" +
		"a=group:BUNDLE 0 1 2\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS s\r\n" +
		"m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n" +
		"a=candidate:1467250027 1 udp 2122260223 192.168.0.196 46243 typ host generation 0 network-id 1\r\n" +
		common + "a=mid:0\r\n" +
		"a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n" +
		"a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n" +
		"a=sendrecv\r\na=msid:s mic\r\na=rtcp-mux\r\na=rtcp-rsize\r\n" +
		"a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n" +
		"a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\n" +
		"a=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\na=rtpmap:110 telephone-event/48000\r\n" +
		"a=rtpmap:126 telephone-event/8000\r\na=ssrc:1001 cname:who\r\na=ssrc:1001 msid:s mic\r\n" +
		"m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 98 99\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n" +
		common + "a=mid:1\r\n" +
		"a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n" +
		"a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n" +
		"a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\r\n" +
		"a=sendonly\r\na=msid:s cam\r\na=rtcp-mux\r\na=rtcp-rsize\r\n" +
		"a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 goog-remb\r\na=rtcp-fb:96 transport-cc\r\na=rtcp-fb:96 ccm fir\r\n" +
		"a=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n" +
		"a=rtpmap:102 H264/90000\r\na=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f\r\n" +
		"a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\n" +
		"a=rtpmap:98 VP9/90000\r\na=fmtp:98 profile-id=0\r\na=rtpmap:99 rtx/90000\r\na=fmtp:99 apt=98\r\n" +
		"a=rid:h send\r\na=rid:m send\r\na=rid:l send\r\na=simulcast:send h;m;~l\r\n" +
		"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n" +
		common + "a=mid:2\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n"

	// Fingerprint at session level, bundle-only sections with port 0, feedback for
	// all payload types, an SSRC with its repair.
	firefox = "v=0\r\no=mozilla...THIS_IS_SDPARTA-99.0 5862184083946423 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n" +
		"a=fingerprint:sha-256 " + print32 + "\r\na=group:BUNDLE 0 1\r\na=ice-options:trickle\r\na=msid-semantic:WMS *\r\n" +
		"m=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 8 101\r\nc=IN IP4 0.0.0.0\r\na=sendrecv\r\n" +
		"a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n" +
		"a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level\r\n" +
		"a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\r\n" +
		"a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1\r\na=fmtp:101 0-15\r\n" +
		"a=ice-pwd:6ca4f3d0b1e2a9c8d7e6f5a4b3c2d1e0\r\na=ice-ufrag:1d2c3b4a\r\na=mid:0\r\n" +
		"a=msid:{ms} {audio}\r\na=rtcp-mux\r\na=rtpmap:109 opus/48000/2\r\na=rtpmap:9 G722/8000/1\r\n" +
		"a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n" +
		"a=setup:actpass\r\na=ssrc:2001 cname:{who}\r\n" +
		"m=video 0 UDP/TLS/RTP/SAVPF 120 124\r\nc=IN IP4 0.0.0.0\r\na=bundle-only\r\na=sendrecv\r\n" +
		"a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\r\n" +
		"a=fmtp:120 max-fs=12288;max-fr=60\r\na=fmtp:124 apt=120\r\n" +
		"a=ice-pwd:6ca4f3d0b1e2a9c8d7e6f5a4b3c2d1e0\r\na=ice-ufrag:1d2c3b4a\r\na=mid:1\r\n" +
		"a=msid:{ms} {video}\r\na=rtcp-fb:* nack\r\na=rtcp-fb:120 nack pli\r\na=rtcp-mux\r\na=rtcp-rsize\r\n" +
		"a=rtpmap:120 VP8/90000\r\na=rtpmap:124 rtx/90000\r\na=setup:actpass\r\n" +
		"a=ssrc:3001 cname:{who}\r\na=ssrc:3002 cname:{who}\r\na=ssrc-group:FID 3001 3002\r\n"
)
