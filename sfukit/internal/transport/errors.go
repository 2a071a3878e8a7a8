package transport

import "errors"

// ErrWedged is in the error of a method that was left half way through an
// exchange of descriptions. There is no way back from there: every later
// exchange would fail, and the connection can only be closed.
var ErrWedged = errors.New("transport: the connection can negotiate no more")

// ErrNoCodec says that the client's offers never named the codec of a line.
var ErrNoCodec = errors.New("transport: the client does not receive this codec")
