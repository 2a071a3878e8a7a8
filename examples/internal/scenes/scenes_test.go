package main

import (
	"math"
	"strings"
	"testing"
)

// Levels are what a browser sends: a square wave of a tenth of full scale is
// 20 dB below it, only digital silence is 127.
func TestMeasure(t *testing.T) {
	for _, tc := range []struct {
		name string
		peak float64
		how  byte
		want byte
	}{
		{"full scale", 1, 0, 0},
		{"beyond", 4, 0, 0},
		{"a tenth", 0.1, 0, 20},
		{"a hundredth", 0.01, 0, 40},
		{"one step of 16 bits", 1.0 / 32768, 0, 90},
		{"below a step", 1.0 / 100000, 0, 127},
		{"muted", 1, 'm', 127},
		{"dropped", 1, 'd', none},
	} {
		x := make([]float64, packet)
		for i := range x {
			x[i] = math.Copysign(tc.peak, float64(i%2)-0.5)
		}
		if got := measure(x, []byte{tc.how}, false); got[0] != tc.want {
			t.Errorf("%s: level %d, want %d", tc.name, got[0], tc.want)
		}
	}
	one := make([]float64, packet)
	one[7] = 1.0 / 32768 // one sample of the faintest: 116.4 dB down
	if got := measure(one, []byte{0}, false); got[0] != 117 {
		t.Errorf("one sample: level %d, want 117", got[0])
	}
}

// With DTX, 200 ms of silence are sent, then one packet in 400 ms.
func TestMeasureDTX(t *testing.T) {
	const packets = 100
	x := make([]float64, packets*packet)
	sent := ""
	for _, level := range measure(x, make([]byte, packets), true) {
		if level == none {
			sent += "."
		} else {
			sent += "x"
		}
	}
	quiet := strings.Repeat(".", 19)
	if want := strings.Repeat("x", 10) + quiet[:9] + strings.Repeat("x"+quiet, 4) + "x"; sent != want {
		t.Errorf("sent\n%s, want\n%s", sent, want)
	}
}

func TestParse(t *testing.T) {
	const head = "# A scene.\nsplit tune\nlength 10\npeer anna en-us pace=150 level=-20 echo=-30 dtx\n"
	s, err := parse([]byte(head + "1.5 anna says 2\n\n4 anna coughs 0.5 -12\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := (peer{"anna", "en-us", 150, -20, -65, -30, true}); len(s.peers) != 1 || s.peers[0] != want {
		t.Errorf("peers = %+v, want %+v", s.peers, want)
	}
	if want := (event{0, "coughs", 4, 0.5, -12}); len(s.events) != 2 || s.events[1] != want {
		t.Errorf("events = %+v, want the second %+v", s.events, want)
	}
	for _, tc := range []struct{ line, want string }{
		{"1 ben says 2", "no peer ben"},
		{"1 anna sings 2", "verb sings"},
		{"9 anna says 2", "outside"},
		{"-1 anna says 2", "outside"},
		{"1 anna says 0", "outside"},
		{"x anna says 2", "line 5"},
		{"1 anna says x", "line 5"},
		{"1 anna says 2 x", "line 5"},
		{"split both", "no line"},
		{"peer ben en-us height=180", "height"},
		{"peer ben en-us pace=fast", "pace"},
	} {
		if _, err := parse([]byte(head + tc.line)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: error %v, want one with %q in it", tc.line, err, tc.want)
		}
	}
}
