package gateway

// Timely serves a handler with bodies that come in time.
var Timely = timely
