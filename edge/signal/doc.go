// Package signal speaks oxpulse-sfu-v1: its frames, its socket and the session
// that binds one socket to one peer of sfukit. docs/PROTOCOL.md is the
// specification; who may connect is for the caller to decide.
package signal

// Subprotocol is the WebSocket subprotocol this package speaks and selects.
const Subprotocol = "oxpulse-sfu-v1"
