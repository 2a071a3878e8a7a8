package pionx

// NewBuffer makes the tap of one connection.
var NewBuffer = newBuffer

// NewTCPMux serves ICE-TCP at advertised addresses.
var NewTCPMux = newTCPMux

// MaxSSRCs is how many SSRCs of a kind a peer may use.
const MaxSSRCs = maxSSRCs
