package signal_test

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/edge/signal"
)

// clientFrames and serverFrames are one of each; the specification must show them all.
var (
	clientFrames = []signal.Frame{
		signal.Offer{},
		signal.AnswerRenegotiate{},
		signal.ICE{},
		signal.BWEHint{},
		signal.SetLayer{},
		signal.Leave{},
		signal.Resume{},
		signal.ClientStats{},
	}
	serverFrames = []signal.Frame{
		signal.Answer{},
		signal.ICE{},
		signal.Welcome{},
		signal.TracksMap{},
		signal.OfferRenegotiate{},
		signal.TracksMapUpdate{},
		signal.TracksRemoved{},
		signal.PeerJoined{},
		signal.PeerLeft{},
		signal.Speaker{},
		signal.Layer{},
		signal.VideoMode{},
		signal.PublishLayers{},
		signal.Error{},
		signal.GoAway{},
	}
)

func specification(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Every JSON example of the specification is a frame that survives decoding and
// encoding, and every frame has an example.
func TestSpecificationExamples(t *testing.T) {
	blocks := regexp.MustCompile("(?ms)^```json (client|server|both)\n(.*?)^```$").FindAllStringSubmatch(specification(t), -1)
	if got, want := len(blocks), strings.Count(specification(t), "```json"); got != want {
		t.Errorf("%d of %d JSON examples say who sends them", got, want)
	}
	seen := map[reflect.Type]bool{}
	try := func(text string, decode func([]byte) (signal.Frame, error)) {
		f, err := decode([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			return
		}
		seen[reflect.TypeOf(f)] = true
		out, err := signal.Encode(f)
		if err != nil {
			t.Errorf("%s: encode: %v", text, err)
			return
		}
		if !reflect.DeepEqual(value(t, out), value(t, []byte(text))) {
			t.Errorf("%s\ncomes back as %s", text, out)
		}
	}
	for _, b := range blocks {
		if b[1] != "server" {
			try(b[2], func(b []byte) (signal.Frame, error) { return signal.DecodeClient(b) })
		}
		if b[1] != "client" {
			try(b[2], func(b []byte) (signal.Frame, error) { return signal.DecodeServer(b) })
		}
	}
	for _, f := range append(clientFrames, serverFrames...) {
		if !seen[reflect.TypeOf(f)] {
			t.Errorf("no example of %T", f)
		}
	}
	if seen[reflect.TypeFor[signal.Unknown]()] {
		t.Error("an example is of no known frame")
	}
}

func value(t *testing.T, b []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return v
}

// The specification has a row for every close code and reason, and its last
// column agrees with Return.
func TestSpecificationCloseCodes(t *testing.T) {
	rows := map[string][]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| (\d{4}) \| (.*?) \| .*? \| (.*?) \|$`).FindAllStringSubmatch(specification(t), -1) {
		rows[m[1]] = m[2:]
	}
	for _, code := range signal.CloseCodes() {
		row := rows[strconv.Itoa(int(code))]
		if row == nil {
			t.Errorf("no row for %d", code)
			continue
		}
		want := map[signal.Return]string{signal.ReturnNever: "no", signal.ReturnBackoff: "yes", signal.ReturnNewToken: "with"}[code.Return("")]
		if code == signal.CloseBadOffer {
			want = "only"
		}
		if !strings.HasPrefix(row[1], want) {
			t.Errorf("%d: the specification says %q, Return says %q", code, row[1], want)
		}
	}
	if len(rows) != len(signal.CloseCodes()) {
		t.Errorf("%d rows, %d codes", len(rows), len(signal.CloseCodes()))
	}
	for code, reason := range map[string]string{
		"1000": signal.ReasonSessionEnded, "1001": signal.ReasonShutdown, "1009": signal.ReasonTooLarge,
		"1013": signal.ReasonRoomFull, "4001": signal.ReasonWrongRoom, "4002": signal.ReasonOfferTimeout,
		"4003": signal.ReasonInternal, "4004": signal.ReasonTokenExpired, "4005": signal.ReasonAlone,
		"4008": signal.ReasonTooManyMistakes, "4031": signal.ReasonReplaced,
	} {
		if row := rows[code]; row != nil && !strings.Contains(row[0], "`"+reason+"`") {
			t.Errorf("%s: the specification lacks the reason %q", code, reason)
		}
	}
}
