package signal_test

import (
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/edge/signal"
)

func TestReturn(t *testing.T) {
	for _, tc := range []struct {
		code   signal.CloseCode
		reason string
		want   signal.Return
	}{
		{signal.CloseNormal, "", signal.ReturnNever},
		{signal.CloseGoingAway, signal.ReasonShutdown, signal.ReturnBackoff},
		{signal.CloseAbnormal, "", signal.ReturnBackoff},
		{signal.CloseTooLarge, "", signal.ReturnNever},
		{signal.CloseOverloaded, "", signal.ReturnBackoff},
		{signal.CloseWrongRoom, "", signal.ReturnNever},
		{signal.CloseBadOffer, signal.ReasonBadOffer, signal.ReturnNever},
		{signal.CloseBadOffer, signal.ReasonOfferTimeout, signal.ReturnBackoff},
		{signal.CloseInternal, "", signal.ReturnNever},
		{signal.CloseTokenExpired, "", signal.ReturnNewToken},
		{signal.CloseAlone, "", signal.ReturnNever},
		{signal.CloseTooSlow, "", signal.ReturnBackoff},
		{signal.CloseReplaced, "", signal.ReturnNever},
		{1012, "", signal.ReturnBackoff}, // a proxy restarts
		{4999, "", signal.ReturnNever},   // a newer server
	} {
		if got := tc.code.Return(tc.reason); got != tc.want {
			t.Errorf("CloseCode(%d).Return(%q) = %d, want %d", tc.code, tc.reason, got, tc.want)
		}
	}
}

func TestLabel(t *testing.T) {
	for code, want := range map[signal.CloseCode]string{
		signal.CloseReplaced: "4031", signal.CloseAbnormal: "1006", 1005: "other", 3000: "other",
	} {
		if got := code.Label(); got != want {
			t.Errorf("CloseCode(%d).Label() = %q, want %q", code, got, want)
		}
	}
}
