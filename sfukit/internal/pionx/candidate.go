package pionx

import (
	"fmt"

	"github.com/pion/ice/v4"
)

// CheckCandidate says what is wrong with a candidate of a client's, given as
// candidate-attribute (RFC 8839 section 5.1) without "a=".
func CheckCandidate(attribute string) error {
	if _, err := ice.UnmarshalCandidate(attribute); err != nil {
		return fmt.Errorf("read candidate: %w", err)
	}
	return nil
}
