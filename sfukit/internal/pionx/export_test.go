package pionx

// NewBuffer makes the tap of one connection.
var NewBuffer = newBuffer

// MaxSSRCs is how many SSRCs of a kind a peer may use.
const MaxSSRCs = maxSSRCs
